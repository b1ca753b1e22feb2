"""Hooks: objects that run at a point of a sync instead of being kept in the cluster.

A hook is no part of what an application is compared with. Each operation creates it anew in its phase and wave, waits
for its end and deletes it by its policy (Argo CD 3.5 docs, resource hooks; gitops-engine sync tasks). Which operation a
live hook belongs to stands on it as an annotation, so a worker that dies loses nothing; our finalizer keeps a finished
hook until its end has been seen, whatever its ttlSecondsAfterFinished says.

Only Argo CD applications have hooks. To Flux they are ordinary objects.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.ownership import ARGOCD_HOOK, HELM_HOOK
from gitops_workers.core.health.argocd import HOOK_FINALIZER
from gitops_workers.core.model import Application, Condition, Dialect, Health, HealthStatus
from gitops_workers.core.objects import Manifest, digest_of
from gitops_workers.core.text.plural import amount

ARGOCD_DELETE_POLICY = "argocd.argoproj.io/hook-delete-policy"
HELM_DELETE_POLICY = "helm.sh/hook-delete-policy"
RUN = "gitops-workers.dev/hook-run"
"""Annotation of a live hook: which operation and phase it runs for."""


class HookPhase(enum.IntEnum):
    """When in a sync; objects are applied in SYNC."""

    PRE_SYNC = -1
    SYNC = 0
    POST_SYNC = 1
    SYNC_FAIL = 2
    PRE_DELETE = 3
    POST_DELETE = 4

    @property
    def title(self) -> str:
        """Argo CD's word: `PreSync`."""
        return self.name.title().replace("_", "")


class HookDeletion(enum.StrEnum):
    """When a hook's object is deleted."""

    BEFORE = "BeforeHookCreation"
    SUCCEEDED = "HookSucceeded"
    FAILED = "HookFailed"


_ARGOCD_PHASES = {phase.title: phase for phase in HookPhase}
_HELM_PHASES = {
    "pre-install": HookPhase.PRE_SYNC,
    "pre-upgrade": HookPhase.PRE_SYNC,
    "post-install": HookPhase.POST_SYNC,
    "post-upgrade": HookPhase.POST_SYNC,
    "pre-delete": HookPhase.PRE_DELETE,
    "post-delete": HookPhase.POST_DELETE,
}
_HELM_DELETIONS = {
    "before-hook-creation": HookDeletion.BEFORE,
    "hook-succeeded": HookDeletion.SUCCEEDED,
    "hook-failed": HookDeletion.FAILED,
}
_SKIP = "Skip"
_DEFINITION = "crd-install"
"""Helm's word for what is no hook, but to be installed first."""
_UNUSED = frozenset({"test", "test-success", "test-failure", "pre-rollback", "post-rollback", _DEFINITION})
"""Helm's words for what happens in no sync."""
ODD = "UnknownHookWarning"
"""The condition about hooks that nobody knows when to run."""


class HookState(enum.StrEnum):
    """What is known of a hook's run in one operation and phase."""

    NONE = "none"
    """No object: it is still to be created."""
    EARLIER = "earlier"
    """The object of an earlier run."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    """Its object went while it ran, so nobody knows how it ended."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook of an application: its object, when it runs, and when the object is deleted."""

    item: Desired
    phases: tuple[HookPhase, ...]
    deletions: frozenset[HookDeletion]


@dataclass(frozen=True, slots=True)
class Split:
    """Rendered objects by what becomes of them."""

    applied: tuple[Manifest, ...]
    hooks: tuple[Manifest, ...]
    passed_over: tuple[Manifest, ...]
    """Neither applied nor run, nor taken for gone (`Skip`, and hooks of no known phase)."""
    odd: tuple[tuple[Manifest, str], ...] = ()
    """Objects with words that are no phase, and what is wrong, as a sentence."""


def split(objects: Iterable[Manifest], dialect: Dialect) -> Split:
    """Tell hooks from objects. A hook without a name is named by its `generateName` until it runs.

    As in Argo CD, the annotation alone makes a hook: one of no known phase never runs, and is never applied either.
    """
    applied: list[Manifest] = []
    hooks: list[Manifest] = []
    passed_over: list[Manifest] = []
    odd: list[tuple[Manifest, str]] = []
    known = policy_of(dialect).order.hooks
    for manifest in objects:
        if not known or not _is_hook(manifest):
            applied.append(manifest)
            continue
        named = _named(manifest)
        (hooks if phases_of(named) else passed_over).append(named)
        if wrong := _oddity(named):
            odd.append((named, wrong))
    return Split(tuple(applied), tuple(hooks), tuple(passed_over), tuple(odd))


def phases_of(manifest: Manifest) -> tuple[HookPhase, ...]:
    """The phases a hook runs in, in order; empty for an object that is none.

    Helm's annotation counts where Argo CD's has no word that Argo CD knows.
    """
    annotations = _annotations(manifest)
    words = _csv(annotations.get(ARGOCD_HOOK))
    found = {_ARGOCD_PHASES[word] for word in words if word in _ARGOCD_PHASES}
    if not found and _SKIP not in words:
        found = {_HELM_PHASES[word] for word in _csv(annotations.get(HELM_HOOK)) if word in _HELM_PHASES}
    return tuple(sorted(found))


def with_hook_conditions(app: Application, odd: Iterable[str]) -> Application:
    """The application with a condition about hooks of no known phase. `odd`: each object and what is wrong with it."""
    found = tuple(odd)
    if not found:
        return app
    more = f" And {amount(len(found) - 1, 'object')} more." if len(found) > 1 else ""
    return replace(app, conditions=(*app.conditions, Condition(ODD, f"{found[0]}{more}")))


def parts(hooks: Iterable[Hook]) -> bool:
    """Whether something is to be run when the application is deleted."""
    return any(phase >= HookPhase.PRE_DELETE for found in hooks for phase in found.phases)


def hook(item: Desired) -> Hook:
    """The hook that an object is."""
    return Hook(item, phases_of(item.manifest), _deletions(item.manifest))


def instance(found: Hook, phase: HookPhase, run: str, revision: str, started_at: float) -> Desired:
    """The object that this run creates. `generateName` becomes a name that another attempt makes again.

    The name is Argo CD's: `<generateName><7 digits of the commit>-<phase>-<start of the operation>`.
    """
    metadata = dict(found.item.manifest["metadata"])
    key = found.item.key
    if prefix := metadata.pop("generateName", ""):
        name = f"{prefix}{revision[:7]}-{phase.title.lower()}-{int(started_at)}"
        metadata["name"] = name
        key = key._replace(name=name)
    metadata["annotations"] = {**(metadata.get("annotations") or {}), RUN: mark(run, phase)}
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), HOOK_FINALIZER]
    body = {**found.item.manifest, "metadata": metadata}
    return Desired(key, found.item.version, digest_of(body), body)


def mark(run: str, phase: HookPhase) -> str:
    """What stands on a hook's object: the operation and the phase, for a hook may run in several."""
    return f"{run}.{phase.title}"


def state(item: Desired, live: Manifest | None, health: Health | None, *, begun: bool) -> HookState:
    """How far a run is. `health` None: the kind has none, and to exist is to have succeeded.

    Argo CD's rule: Healthy is the good end, Degraded and Unknown are the bad one, all else goes on.
    """
    if live is None:
        return HookState.LOST if begun else HookState.NONE
    wanted = item.manifest["metadata"]["annotations"][RUN]
    if _annotations(live).get(RUN) != wanted:
        return HookState.LOST if begun else HookState.EARLIER
    if ended(health):
        return HookState.SUCCEEDED if well(health) else HookState.FAILED
    # Somebody deletes it while it runs: it will not come to an end.
    return HookState.LOST if live["metadata"].get("deletionTimestamp") else HookState.RUNNING


def well(health: Health | None) -> bool:
    """Whether a hook has come to its good end."""
    return health is None or health.status is HealthStatus.HEALTHY


def ended(health: Health | None) -> bool:
    """Whether a hook has come to an end, good or bad."""
    return well(health) or (health is not None and health.status in (HealthStatus.DEGRADED, HealthStatus.UNKNOWN))


def belongs(live: Manifest, run: str) -> bool:
    """Whether a hook's object was created, or run again, by this operation."""
    return str(_annotations(live).get(RUN) or "").startswith(f"{run}.")


def doomed(found: Hook, health: Health | None) -> bool:
    """Whether the object goes when the operation ends. One that still runs then has not come to a good end."""
    wanted = HookDeletion.SUCCEEDED if well(health) else HookDeletion.FAILED
    return wanted in found.deletions


def held(live: Manifest) -> bool:
    """Whether our finalizer holds the object."""
    return HOOK_FINALIZER in (live["metadata"].get("finalizers") or ())


def _named(manifest: Manifest) -> Manifest:
    metadata = manifest.get("metadata") or {}
    if metadata.get("name") or not metadata.get("generateName"):
        return manifest
    return {**manifest, "metadata": {**metadata, "name": metadata["generateName"]}}


def _deletions(manifest: Manifest) -> frozenset[HookDeletion]:
    annotations = _annotations(manifest)
    known: dict[str, HookDeletion] = {item.value: item for item in HookDeletion}
    text = annotations.get(ARGOCD_DELETE_POLICY)
    if not text:
        known, text = _HELM_DELETIONS, annotations.get(HELM_DELETE_POLICY)
    found = frozenset(known[word] for word in _csv(text) if word in known)
    return found or frozenset({HookDeletion.BEFORE})


def _is_hook(manifest: Manifest) -> bool:
    annotations = _annotations(manifest)
    if ARGOCD_HOOK in annotations:
        return True
    return HELM_HOOK in annotations and _csv(annotations[HELM_HOOK]) != {_DEFINITION}


def _oddity(manifest: Manifest) -> str:
    """What is wrong with the words of a hook, "" when each is known."""
    annotations = _annotations(manifest)
    words, helm = _csv(annotations.get(ARGOCD_HOOK)), _csv(annotations.get(HELM_HOOK))
    name, known = ARGOCD_HOOK, {*_ARGOCD_PHASES, _SKIP}
    if ARGOCD_HOOK not in annotations:
        name, known, words = HELM_HOOK, {*_HELM_PHASES, *_UNUSED}, helm
    unknown = sorted(words - known)
    if words and not unknown:
        return ""
    found = ", ".join(word[:40] for word in unknown[:3]) or "no word"
    runs = ", ".join(phase.title for phase in phases_of(manifest))
    end = f"It runs in {runs} only." if runs else "It is neither applied nor run."
    return f"{name} has {found}, known are {', '.join(sorted(known))}. {end}"


def _csv(text: object) -> frozenset[str]:
    return frozenset(word.strip() for word in str(text or "").split(",") if word.strip())


def _annotations(manifest: Manifest) -> Manifest:
    return (manifest.get("metadata") or {}).get("annotations") or {}
