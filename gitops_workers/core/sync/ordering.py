"""The order in which objects are applied and deleted.

Argo CD: phase, wave, then kind, then name; a Namespace goes before the first object or hook that lives in it and a CRD
before the first of its kind, taking over that one's phase and wave (gitops-engine sync tasks). Flux: three stages
(definitions, classes, the rest) and in each its own kind order (pkg/ssa).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

from gitops_workers.core.diff.desired import CRD, Desired
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey
from gitops_workers.core.sync.hooks import Hook, HookPhase

SYNC_WAVE = "argocd.argoproj.io/sync-wave"
HOOK_WEIGHT = "helm.sh/hook-weight"
PRUNE_LAST = 1 << 62
"""Added to the wave of a delete that comes after everything else (PruneLast=true): no annotation reaches it."""

ARGOCD_KINDS = (
    "Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount Secret "
    "SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole "
    "ClusterRoleList ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service "
    "DaemonSet Pod ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob "
    "IngressClass Ingress APIService"
).split()
FLUX_KINDS = (
    "CustomResourceDefinition Namespace ClusterRole ClusterClass RuntimeClass PriorityClass StorageClass "
    "VolumeSnapshotClass IngressClass GatewayClass ClusterRoleBinding ResourceQuota ServiceAccount Role RoleBinding "
    "ConfigMap Secret Service LimitRange Deployment StatefulSet CronJob PodDisruptionBudget"
).split()
FLUX_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")

_NUMBER = re.compile(r"[+-]?[0-9]{1,100}")
_INT64 = 1 << 63
_FARTHEST = 1 << 60
"""Waves beyond it are one wave, so that each fits beside PRUNE_LAST into the 64 bits that an operation can store."""

_ARGOCD_RANK = {kind: rank for rank, kind in enumerate(ARGOCD_KINDS)}
_FLUX_RANK = {kind: rank for rank, kind in enumerate(FLUX_KINDS)}


@dataclass(frozen=True, slots=True)
class Task:
    """An object that is applied, or a hook that is run, in its place."""

    phase: HookPhase
    wave: int
    item: Desired
    hook: Hook | None = None

    @property
    def place(self) -> tuple[HookPhase, int]:
        """What is done together."""
        return self.phase, self.wave


def wave_of(manifest: Manifest) -> int:
    """The sync wave: the annotation, else Helm's hook weight, else 0. What Go's `Atoi` does not read is no number."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    for name in (SYNC_WAVE, HOOK_WEIGHT):
        text = str(annotations.get(name, ""))
        if _NUMBER.fullmatch(text) and -_INT64 <= (wave := int(text)) < _INT64:
            return max(-_FARTHEST, min(wave, _FARTHEST))
    return 0


def argocd_rank(key: ObjectKey) -> tuple[int, str, str, str, str]:
    """Sort key inside a wave: the kind's rank, then the name; unknown kinds come last, all with one rank.

    What Argo CD leaves to chance, objects of one rank and name, is in the order of kind, group and namespace.
    """
    return _ARGOCD_RANK.get(key.kind, len(_ARGOCD_RANK)), key.name, key.kind, key.group, key.namespace


def flux_rank(key: ObjectKey) -> tuple[int, str, str, str, str]:
    """Sort key inside a Flux stage: listed kinds, then others by group and kind, admission webhooks last."""
    if key.kind in FLUX_LAST:
        return len(_FLUX_RANK) + 1 + FLUX_LAST.index(key.kind), key.group, key.kind, key.namespace, key.name
    return _FLUX_RANK.get(key.kind, len(_FLUX_RANK)), key.group, key.kind, key.namespace, key.name


def flux_stage(key: ObjectKey) -> int:
    """0: definitions (CRD, Namespace, ClusterRole); 1: kinds whose name ends in Class; 2: the rest."""
    if key.kind in {"CustomResourceDefinition", "Namespace", "ClusterRole"}:
        return 0
    return 1 if key.kind.endswith("Class") else 2


def argocd_order(objects: Iterable[Desired], hooks: Iterable[Hook] = ()) -> list[Task]:
    """All tasks of a sync in order, definitions moved ahead of their first dependant. SyncFail hooks are none."""
    tasks = [Task(HookPhase.SYNC, wave_of(item.manifest), item) for item in objects]
    for hook in hooks:
        wave = wave_of(hook.item.manifest)
        tasks += [Task(phase, wave, hook.item, hook) for phase in hook.phases if phase < HookPhase.SYNC_FAIL]
    return _definitions_ahead(sorted(tasks, key=lambda task: (*task.place, argocd_rank(task.item.key))))


def _definitions_ahead(order: Sequence[Task]) -> list[Task]:
    """Each Namespace, then each CRD, that stands behind its first dependant goes right ahead of it, into its place."""
    namespaces = _bubbled(order, _defined_namespace, lambda item: item.key.namespace or None)
    return _bubbled(namespaces, _defined_kind, lambda item: item.key.group_kind)


def _bubbled(
    order: Sequence[Task],
    defines: Callable[[Desired], Hashable | None],
    refers: Callable[[Desired], Hashable | None],
) -> list[Task]:
    """The order with what a task defines ahead of the first that refers to it, in its phase and wave."""
    result: list[Task] = []
    first: dict[Hashable, Task] = {}
    for task in order:
        if (defined := defines(task.item)) is None:
            if (named := refers(task.item)) is not None:
                first.setdefault(named, task)
            result.append(task)
        elif (dependant := first.get(defined)) is None:
            result.append(task)
        else:
            at = next(number for number, other in enumerate(result) if other is dependant)
            result.insert(at, replace(task, phase=dependant.phase, wave=dependant.wave))
    return result


def _defined_namespace(definition: Desired) -> str | None:
    return definition.key.name if definition.key.group_kind == ("", "Namespace") else None


def _defined_kind(definition: Desired) -> GroupKind | None:
    if definition.key.group_kind != CRD:
        return None
    spec = definition.manifest.get("spec") or {}
    return GroupKind(spec.get("group", ""), (spec.get("names") or {}).get("kind", ""))


def mirrored(waves: Iterable[int]) -> dict[int, int]:
    """Prune waves turned round: what was applied last is deleted first (Argo CD 2.x and later).

    >>> mirrored([0, 1, 5])
    {0: 5, 1: 1, 5: 0}
    """
    distinct = sorted(set(waves))
    return dict(zip(distinct, reversed(distinct), strict=True))


def prune_waves(turns: Iterable[int], applied: Iterable[int]) -> dict[int, int]:
    """The wave in which the deletes of each turn are done, beside objects that are applied in `applied`.

    Mirrored, those that come last included; they then come one wave after all others (gitops-engine, getSyncTasks).

    >>> prune_waves([1, 2, PRUNE_LAST + 7], [0, 5]) == {1: 7, 2: 2, PRUNE_LAST + 7: 8}
    True
    """
    own = {turn: turn - PRUNE_LAST if turn > PRUNE_LAST // 2 else turn for turn in turns}
    turned = mirrored(own.values())
    last = max([0, *applied, *turned.values()]) + 1
    return {turn: turned[wave] if turn == wave else last for turn, wave in own.items()}
