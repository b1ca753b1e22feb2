"""The order in which objects are applied and deleted.

Argo CD: phase, wave, then kind, then name; a Namespace goes before the first object or hook that lives in it and a CRD
before the first of its kind, taking over that one's phase and wave (gitops-engine sync tasks). Flux: three stages
(definitions, classes, the rest) and in each its own kind order (pkg/ssa).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gitops_workers.core.desired import CRD, Desired
from gitops_workers.core.hooks import Hook, HookPhase
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey

SYNC_WAVE = "argocd.argoproj.io/sync-wave"
HOOK_WEIGHT = "helm.sh/hook-weight"
PRUNE_LAST = 1 << 40
"""The wave of a delete that comes after everything else (PruneLast=true): no annotation reaches it."""

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
    """The sync wave: the annotation, else Helm's hook weight, else 0. Text that is no number counts as 0."""
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    for name in (SYNC_WAVE, HOOK_WEIGHT):
        if name in annotations:
            try:
                return int(str(annotations[name]))
            except ValueError:
                continue
    return 0


def argocd_rank(key: ObjectKey) -> tuple[int, str, str, str, str]:
    """Sort key inside a wave; unknown kinds come last, by name of kind."""
    return _ARGOCD_RANK.get(key.kind, len(_ARGOCD_RANK)), key.kind, key.group, key.namespace, key.name


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
    """Each Namespace and CRD that stands behind its first dependant goes right ahead of it, into its place."""
    namespaces: dict[str, int] = {}
    kinds: dict[GroupKind, int] = {}
    for position, task in enumerate(order):
        namespaces.setdefault(task.item.key.namespace, position)
        kinds.setdefault(task.item.key.group_kind, position)
    ahead: dict[int, list[Task]] = {}
    moved = set()
    for position, task in enumerate(order):
        kind = _defined_kind(task.item)
        if kind is not None:
            first = kinds.get(kind, position)
        elif task.item.key.kind == "Namespace":
            first = namespaces.get(task.item.key.name, position)
        else:
            continue
        if first < position:
            dependant = order[first]
            ahead.setdefault(first, []).append(replace(task, phase=dependant.phase, wave=dependant.wave))
            moved.add(position)
    result: list[Task] = []
    for position, task in enumerate(order):
        result += ahead.get(position, ())
        if position not in moved:
            result.append(task)
    return result


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


def prune_waves(waves: Iterable[int], applied: Iterable[int]) -> dict[int, int]:
    """The wave in which the deletes of each wave are done, beside objects that are applied in `applied`.

    Mirrored; what is put last comes one wave after all others (Argo CD: last sync wave + 1).

    >>> prune_waves([1, 2, PRUNE_LAST], [0, 5]) == {1: 2, 2: 1, PRUNE_LAST: 6}
    True
    """
    distinct = set(waves)
    found = mirrored(distinct - {PRUNE_LAST})
    if PRUNE_LAST in distinct:
        found[PRUNE_LAST] = max([0, *applied, *found.values()]) + 1
    return found
