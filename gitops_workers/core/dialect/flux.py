"""What Flux does with an application (kustomize-controller 1.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from gitops_workers.core.dialect.policy import (
    DeletionPolicy,
    DialectPolicy,
    HealthPolicy,
    MetricsPolicy,
    OptionsPolicy,
    OrderPolicy,
    OwnershipPolicy,
)
from gitops_workers.core.diff.ownership import FLUX_NAME, FLUX_NAMESPACE
from gitops_workers.core.health import Member, kstatus, ready_or_not
from gitops_workers.core.health.fields import number
from gitops_workers.core.model import Application, Health, HealthStatus
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.prune.candidates import Deletion
from gitops_workers.core.prune.deletion import all_at_once
from gitops_workers.core.sync.options import Options, Pruned, flux_options
from gitops_workers.core.sync.ordering import Task, flux_stage
from gitops_workers.core.sync.plan import FLUX_STAGES, Plan, flux_stages
from gitops_workers.core.sync.sync_policy import SyncPolicy
from gitops_workers.core.telemetry.figures import FLUX_RECONCILE, RESOURCE_INFO, Sample, observed

CONTROLLER = "kustomize-controller"


def _stages(_: Plan, deletions: Sequence[Deletion]) -> Mapping[ObjectKey, int]:
    return {item.key: flux_stage(item.key) for item in deletions}


def _place(task: Task) -> str:
    return f"stage {FLUX_STAGES[task.wave]}"


def _absent(key: ObjectKey, desired: Manifest) -> Member:
    """A Job that cleans up after itself and is gone counts as done."""
    cleans_up = key.group_kind == ("batch", "Job") and number(desired, "spec.ttlSecondsAfterFinished", -1) >= 0
    return Member(key, Health(HealthStatus.NOT_FOUND, "Resource not found"), absent=True, ignored=cleans_up)


def _owner_labels(app: Application) -> Mapping[str, str]:
    return {FLUX_NAME: app.name, FLUX_NAMESPACE: app.namespace}


def _absorbs(manager: str, _: str, kubectl: bool) -> bool:
    """Before each apply Flux merges into its own entry what kubectl has written, unless `ssa: Merge` is set."""
    return manager == CONTROLLER or (kubectl and (manager.startswith("kubectl") or manager == "before-first-apply"))


def _to_prune(policy: SyncPolicy, live: Manifest) -> Options:
    return flux_options(policy, None, live)


def _kept(app: Application, _: ObjectKey, live: Manifest, __: str) -> str:
    return "it asks not to be pruned" if _to_prune(app.sync, live).prune is Pruned.NO else ""


def _reconciled(app: Application, kind: str, _: Callable[[], str], seconds: float) -> Iterator[tuple[Sample, float]]:
    return observed(FLUX_RECONCILE, (kind, app.name, app.namespace), seconds, app.id)


POLICY = DialectPolicy(
    order=OrderPolicy(
        hooks=False,  # to Flux they are ordinary objects
        stages=flux_stages,
        deletion_stages=all_at_once,
        prune_waves=_stages,
        place=_place,
        prune_place="after all applies, in reverse order",
    ),
    health=HealthPolicy(
        of=kstatus.health,
        by_rule=kstatus.health,
        absent=_absent,
        ignored=lambda _: False,
        aggregated=ready_or_not,
        healthy=HealthStatus.CURRENT,
        failed=HealthStatus.FAILED,
        deleting=HealthStatus.TERMINATING,
        always_in_ready=False,  # Ready has the health of the objects in it with `wait` only
    ),
    ownership=OwnershipPolicy(labels=_owner_labels, annotations=lambda _, __: {}, absorbs=_absorbs),
    options=OptionsPolicy(
        to_apply=flux_options,
        to_prune=_to_prune,
        live_counts=True,  # `reconcile: disabled` and `ssa` count on either side
    ),
    deletion=DeletionPolicy(
        leftover_differs=False,  # without `prune` its inventory simply forgets what left Git
        kept=_kept,
        asks=lambda _, __: False,
        suspended_gives_up=True,  # its finalizer then releases the objects without deleting any
    ),
    metrics=MetricsPolicy(reconciled=_reconciled, gauge=RESOURCE_INFO, counts_syncs=False),
    governed=False,  # its manifests say all of it themselves
    heals_with_backoff=False,  # drift is corrected at every interval
    retry_delay=lambda app, _: app.schedule.retry_interval,
    notes_failed_sync=False,  # its Ready says it
)
