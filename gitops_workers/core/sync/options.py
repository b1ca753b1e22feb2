"""How one object is applied, compared and pruned: its application's sync options, and what stands on the object itself.

Argo CD: `spec.syncPolicy.syncOptions`, and the object's annotation `sync-options`, which wins (3.5 docs, sync options).
An object to be applied speaks through its manifest in Git, one to be pruned through the live one. Flux: labels or
annotations whose values are read without regard to case, on the manifest, on the live object or on either
(kustomize-controller 1.9 docs, controlling the apply behaviour).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Application
from gitops_workers.core.objects import Manifest
from gitops_workers.core.sync.sync_policy import SyncPolicy

SYNC_OPTIONS: Final = "argocd.argoproj.io/sync-options"
RESOURCE_POLICY: Final = "helm.sh/resource-policy"
FLUX: Final = "kustomize.toolkit.fluxcd.io/"
FLUX_PRUNE: Final = f"{FLUX}prune"
FLUX_RECONCILE: Final = f"{FLUX}reconcile"
FLUX_SSA: Final = f"{FLUX}ssa"
FLUX_FORCE: Final = f"{FLUX}force"

_CAREFUL: Final = {
    "Prune": ("false", "confirm", "true"),
    "Delete": ("false", "confirm", "true"),
    "Replace": ("false", "true"),
    "Force": ("false", "true"),
}
"""Options that a delete or an overwriting hangs on, with the most careful value first."""

PROPAGATIONS: Final = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}
"""Argo CD's words for `PrunePropagationPolicy`, and the API server's."""


class Handling(enum.StrEnum):
    """What an apply does with an object."""

    APPLIED = "applied"
    ONCE = "once"
    """Created where it is missing, and then left alone."""
    NEVER = "never"


class Pruned(enum.StrEnum):
    """What happens to an object that left Git."""

    YES = "yes"
    NO = "no"
    CONFIRMED = "confirmed"
    """It goes when a human has agreed."""


@dataclass(frozen=True, slots=True)
class Options:
    """What counts for one object. `reason` is the mark behind `handling` or `prune`, for people."""

    handling: Handling = Handling.APPLIED
    reason: str = ""
    absorb: bool = True
    """The fields of kubectl become ours (see core.absorption)."""
    validate: bool = True
    """A field that the server does not know is a refusal; else it is left out."""
    skip_missing: bool = False
    """The kind need not be served before the object's turn."""
    replace: bool = False
    """The live object is overwritten as a whole; what only it has goes."""
    force: bool = False
    """Deleted and created where the server refuses to change an immutable field."""
    prune: Pruned = Pruned.YES
    prune_last: bool = False
    propagation: str = "Background"
    """Of a delete, in the API server's words."""


def to_apply(app: Application, desired: Manifest, live: Manifest | None = None) -> Options:
    """The options of an object that Git has; `live` where it is known."""
    return policy_of(app.dialect).options.to_apply(app.sync, desired, live)


def to_prune(app: Application, live: Manifest) -> Options:
    """The options of an object that left Git."""
    return policy_of(app.dialect).options.to_prune(app.sync, live)


def own_options(manifest: Manifest) -> dict[str, str]:
    """What the annotation `sync-options` of an object says."""
    return by_name(part.strip() for part in str(_annotations(manifest).get(SYNC_OPTIONS) or "").split(","))


def by_name(texts: Iterable[str]) -> dict[str, str]:
    """`Name=value` by name. Of two values the first one counts, as in Argo CD; where a delete hangs on it, the safer.

    >>> by_name(["Validate=false", "Validate=true", "Prune=true", "Prune=confirm", "Force=true", "Force=false"])
    {'Validate': 'false', 'Prune': 'confirm', 'Force': 'false'}
    """
    found: dict[str, str] = {}
    for written, sign, value in (text.partition("=") for text in texts):
        if not sign:
            continue
        name = _meant(written, value)
        words = _CAREFUL.get(name, ())
        if name not in found or _danger(words, value) < _danger(words, found[name]):
            found[name] = value
    return found


def _meant(name: str, value: str) -> str:
    """The option's name. `prune = false` means to keep an object, though Argo CD knows only `Prune=false`."""
    plain = name.strip().capitalize()
    return plain if plain in ("Prune", "Delete") and value.strip() != "true" else name


def _danger(words: tuple[str, ...], value: str) -> int:
    # The engine cannot know what a mistyped word meant, so it is the most careful one.
    return words.index(value) if value in words else -len(words)


def kept(option: str, value: str) -> str:
    """The reason why `Prune=` or `Delete=` keeps an object for good; "" where it does not."""
    if value in ("", "true", "confirm"):
        return ""
    return f"{option}={value}" if value == "false" else f"{option}={value}, which is neither true, confirm nor false"


def argocd_options(policy: SyncPolicy, manifest: Manifest) -> Options:
    """What the annotation of a manifest makes of the application's options."""
    own = own_options(manifest)

    def is_on(name: str, *, default: bool) -> bool:
        return {"true": True, "false": False}.get(own.get(name, ""), default)

    asked = own.get("Prune", policy.prune_option)
    prune, reason = Pruned.YES, kept("Prune", asked)
    if reason:
        prune = Pruned.NO
    elif asked == "confirm":
        prune, reason = Pruned.CONFIRMED, "Prune=confirm"
    if is_kept(manifest):
        prune, reason = Pruned.NO, f"{RESOURCE_POLICY}: keep"
    propagation = PROPAGATIONS.get(own.get("PrunePropagationPolicy", ""), policy.propagation)
    return Options(
        reason=reason,
        absorb=is_on("ClientSideApplyMigration", default=policy.absorb),
        validate=is_on("Validate", default=policy.validate),
        skip_missing=is_on("SkipDryRunOnMissingResource", default=policy.skip_missing),
        replace=is_on("Replace", default=policy.replace),
        force=is_on("Force", default=policy.force),
        prune=prune,
        prune_last=is_on("PruneLast", default=policy.prune_last),
        propagation=propagation or "Foreground",
    )


def flux_options(policy: SyncPolicy, desired: Manifest | None, live: Manifest | None) -> Options:
    """What the marks on either side make of the application's options."""
    sides = [side for side in (desired, live) if side is not None]
    handling, reason = Handling.APPLIED, ""
    for name, value in ((FLUX_RECONCILE, "disabled"), (FLUX_SSA, "Ignore")):
        if any(_marked(side, name, value) for side in sides):
            handling, reason = Handling.NEVER, f"{name}: {value}"
    if handling is Handling.APPLIED and desired is not None and _marked(desired, FLUX_SSA, "IfNotPresent"):
        handling, reason = Handling.ONCE, f"{FLUX_SSA}: IfNotPresent"
    prune = Pruned.NO if handling is Handling.NEVER else Pruned.YES
    if live is not None and (mark := _not_enabled(live)):
        prune, reason = Pruned.NO, reason or f"{FLUX_PRUNE}: {mark}"
    if live is not None and is_kept(live):
        prune, reason = Pruned.NO, reason or f"{RESOURCE_POLICY}: keep"
    return Options(
        handling=handling,
        reason=reason,
        absorb=policy.absorb and not any(_marked(side, FLUX_SSA, "Merge") for side in sides),
        force=policy.force or any(_marked(side, FLUX_FORCE, "enabled") for side in sides),
        prune=prune,
    )


def _not_enabled(live: Manifest) -> str:
    """The value of the mark `prune` that keeps the object: a mistyped `disabled` is no leave to delete."""
    metadata: Mapping[str, Any] = live.get("metadata") or {}
    found = (str((metadata.get(field) or {}).get(FLUX_PRUNE) or "").lower() for field in ("labels", "annotations"))
    return next((text for text in found if text not in ("", "enabled")), "")


def _marked(manifest: Manifest, name: str, value: str) -> bool:
    metadata: Mapping[str, Any] = manifest.get("metadata") or {}
    found = ((metadata.get(field) or {}).get(name) for field in ("labels", "annotations"))
    texts = [str(text or "").lower() for text in found]
    # Spaces about a word that leaves an object alone are a slip of the pen; no slip forces anything.
    return any((text if name == FLUX_FORCE else text.strip()) == value.lower() for text in texts)


def is_kept(manifest: Manifest) -> bool:
    """Whether Helm's `resource-policy: keep` stands on it, alone or in a list (Argo CD's `HasAnnotationOption`)."""
    words = str(_annotations(manifest).get(RESOURCE_POLICY) or "").split(",")
    return any(word.strip().lower() == "keep" for word in words)


def _annotations(manifest: Manifest) -> Mapping[str, Any]:
    return (manifest.get("metadata") or {}).get("annotations") or {}
