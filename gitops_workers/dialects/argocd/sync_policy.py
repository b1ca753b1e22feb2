"""Argo CD's syncPolicy, with the table of sync options and what this version makes of each."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.sync.options import PROPAGATIONS, by_name
from gitops_workers.core.sync.sync_policy import Retry, SyncPolicy
from gitops_workers.dialects.argocd.shapes import Automated, Policy
from gitops_workers.dialects.document import Path
from gitops_workers.dialects.fields import ParseContext, pairs
from gitops_workers.dialects.messages import shown, unknown


@dataclass(frozen=True, slots=True)
class _Option:
    """`done` values need no remark, `noted` ones get a condition."""

    done: tuple[str, ...]
    noted: tuple[str, ...] = ()


_OPTIONS = {
    "CreateNamespace": _Option(done=("true", "false")),
    # Every apply is server-side, and an object that agrees is never written: these two ask for what happens anyway.
    "ServerSideApply": _Option(done=("true",), noted=("false",)),
    "ApplyOutOfSyncOnly": _Option(done=("true", "false")),
    "Validate": _Option(done=("true", "false")),
    "SkipDryRunOnMissingResource": _Option(done=("true", "false")),
    "PruneLast": _Option(done=("true", "false")),
    "PrunePropagationPolicy": _Option(done=tuple(PROPAGATIONS)),
    "RespectIgnoreDifferences": _Option(done=("true", "false")),
    "ClientSideApplyMigration": _Option(done=("true", "false")),
    "FailOnSharedResource": _Option(done=("true", "false")),
    "Prune": _Option(done=("true", "false", "confirm")),
    "Delete": _Option(done=("true", "false", "confirm")),
    "Replace": _Option(done=("true", "false")),
    "Force": _Option(done=("true", "false")),
}
"""Argo CD 3.5, sync options."""


def without_effect() -> list[str]:
    """The sync options that are remarked and have no effect, as they are written."""
    return [f"{name}={value}" for name, option in _OPTIONS.items() for value in option.noted]


def sync_policy(reading: ParseContext, policy: Policy) -> SyncPolicy:
    """What may be done unasked. Without `automated`, or with `enabled: false`, a sync happens only when asked for."""
    path = ("spec", "syncPolicy")
    options = _options(reading, (*path, "syncOptions"), policy.sync_options)
    metadata = policy.managed_namespace_metadata
    create_namespace = options.get("CreateNamespace") == "true"
    if (metadata.labels or metadata.annotations) and not create_namespace:
        place = (*path, "managedNamespaceMetadata")
        reading.remark(place, "the field has no effect without the sync option CreateNamespace=true.")
    automated = policy.automated or Automated(enabled=False)
    on = automated.enabled
    return SyncPolicy(
        automated=on,
        prune=on and automated.prune,
        self_heal=on and automated.self_heal,
        allow_empty=on and automated.allow_empty,
        create_namespace=create_namespace,
        namespace_labels=pairs(metadata.labels),
        namespace_annotations=pairs(metadata.annotations),
        prune_option=options.get("Prune", "").replace("true", ""),
        prune_last=options.get("PruneLast") == "true",
        propagation=PROPAGATIONS.get(options.get("PrunePropagationPolicy", ""), ""),
        validate=options.get("Validate") != "false",
        skip_missing=options.get("SkipDryRunOnMissingResource") == "true",
        replace=options.get("Replace") == "true",
        force=options.get("Force") == "true",
        fail_on_shared=options.get("FailOnSharedResource") == "true",
        respect_ignored=options.get("RespectIgnoreDifferences") == "true",
        absorb=options.get("ClientSideApplyMigration") != "false",
        retry=_retry(reading, path, policy),
    )


def _retry(reading: ParseContext, path: Path, policy: Policy) -> Retry:
    if policy.retry is None:
        return Retry()
    backoff = policy.retry.backoff
    if backoff.max_duration < backoff.duration:
        place = (*path, "retry", "backoff", "maxDuration")
        reading.error(place, f"found {backoff.max_duration:g}s, allowed is at least duration ({backoff.duration:g}s).")
    return Retry(policy.retry.limit, backoff.duration, float(backoff.factor), backoff.max_duration)


def _options(reading: ParseContext, path: Path, texts: list[str]) -> dict[str, str]:
    """The options by name, and what is wrong with them."""
    found = by_name(texts)
    for index, text in enumerate(texts):
        name, _, value = text.partition("=")
        option = _OPTIONS.get(name)
        place = (*path, index)
        if option is None:
            reading.error(place, unknown("sync option", name, _OPTIONS))
        elif value in option.noted:
            reading.remark(place, f"{text} is not done by this version: it has no effect.")
        elif value not in option.done:
            allowed = " or ".join(f"{name}={value}" for value in (*option.done, *option.noted))
            reading.error(place, f"found {shown(text)}, allowed is {allowed}.")
        elif value != found[name]:
            reading.remark(place, f"{text} has no effect: {name} is given more than once, and {found[name]} counts.")
    return found
