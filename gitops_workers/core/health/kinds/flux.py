"""The kinds of the Flux toolkit as Argo CD judges them: the reason of Ready is the message."""

from __future__ import annotations

from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    Test,
    degraded,
    false,
    has,
    healthy,
    joined,
    progressing,
    suspended,
    true,
)

_SUSPENDED: Test = has("spec.suspend", True)
_READY: tuple[Step, ...] = (
    healthy("{@Ready.reason}", true("Ready")),
    degraded("{@Ready.reason}", false("Ready")),
    progressing("{@Ready.reason}", has("@Ready.status", "Unknown")),
    progressing("Waiting to be reconciled"),
)
_RULE: Rule = (suspended("{kind} is suspended", _SUSPENDED), *_READY)

_KINDS = {
    "source.toolkit.fluxcd.io": "GitRepository OCIRepository Bucket HelmRepository HelmChart ExternalArtifact",
    "kustomize.toolkit.fluxcd.io": "Kustomization",
    "helm.toolkit.fluxcd.io": "HelmRelease",
    "notification.toolkit.fluxcd.io": "Receiver Alert Provider",
    "image.toolkit.fluxcd.io": "ImageRepository ImagePolicy ImageUpdateAutomation",
    "source.extensions.fluxcd.io": "ArtifactGenerator",
}

RULES: Table = {name: rule for group, kinds in _KINDS.items() for name, rule in joined(group, {kinds: _RULE})}
for _kind in ("Alert", "Provider"):
    # Since v1beta3 these two have no status at all: nothing to wait for.
    RULES[f"notification.toolkit.fluxcd.io/{_kind}"] = (
        suspended("{kind} is suspended", _SUSPENDED),
        healthy("", has("status", None)),
        *_READY,
    )
