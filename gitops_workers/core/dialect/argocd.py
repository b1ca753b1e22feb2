"""What Argo CD does with an application (Argo CD 3.5)."""

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
from gitops_workers.core.diff.desired import CRD
from gitops_workers.core.diff.ownership import TRACKING_ID, tracking_id
from gitops_workers.core.health import Member, argocd, worst
from gitops_workers.core.health.fields import read
from gitops_workers.core.model import Application, Health, HealthStatus
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.prune.candidates import Deletion
from gitops_workers.core.prune.deletion import wave_by_wave
from gitops_workers.core.scheduling.due import retry_pause
from gitops_workers.core.sync.hooks import HookPhase
from gitops_workers.core.sync.options import RESOURCE_POLICY, Options, argocd_options, is_kept, kept, own_options
from gitops_workers.core.sync.ordering import SYNC_WAVE, Task, prune_waves, wave_of
from gitops_workers.core.sync.plan import Plan, argocd_stages
from gitops_workers.core.sync.sync_policy import SyncPolicy
from gitops_workers.core.telemetry.figures import APP_INFO, APP_RECONCILE, Sample, observed

IGNORE_HEALTH = "argocd.argoproj.io/ignore-healthcheck"
CONTROLLER = "argocd-controller"
USER_AGENT = "argocd-application-controller"
"""Its field manager before 2.5, and of Replace=true since. On its own kinds it writes status and operation, too."""


def _waves(plan: Plan, deletions: Sequence[Deletion]) -> Mapping[ObjectKey, int]:
    applied = (task.wave for stage in plan.stages for task in stage.tasks if task.phase is HookPhase.SYNC)
    turned = prune_waves((item.turn for item in deletions), applied)
    return {item.key: turned[item.turn] for item in deletions}


def _place(task: Task) -> str:
    own = wave_of(task.item.manifest)
    if task.phase is not HookPhase.SYNC:
        return f"moved from wave {own} of Sync ahead of the first hook that needs it"
    if own != task.wave:
        return f"moved from wave {own} ahead of the first object that needs it"
    named = SYNC_WAVE in (task.item.manifest["metadata"].get("annotations") or {})
    return f"wave {own} by annotation" if named else f"wave {own}"


def _absent(key: ObjectKey, desired: Manifest) -> Member:
    return Member(key, Health(HealthStatus.MISSING), absent=True, ignored=_ignored(desired))


def _ignored(manifest: Manifest) -> bool:
    return bool(read(manifest, f"metadata.annotations.'{IGNORE_HEALTH}'") == "true")


def _tracking(app: Application, key: ObjectKey) -> Mapping[str, str]:
    """CRDs get no tracking id (3.5 docs, resource tracking)."""
    return {} if key.kind == CRD.kind else {TRACKING_ID: tracking_id(app, key)}


def _absorbs(manager: str, api_version: str, kubectl: bool) -> bool:
    """`kubectl apply` alone is taken over, and only with ClientSideApplyMigration: an edit is no difference to it.

    Nothing else of Argo CD itself is: `argocd-server` is people who asked for a restart in its pages.
    """
    if manager == USER_AGENT:
        return not api_version.startswith("argoproj.io/")
    return manager == CONTROLLER or (kubectl and manager == "kubectl-client-side-apply")


def _to_apply(policy: SyncPolicy, desired: Manifest, _: Manifest | None) -> Options:
    return argocd_options(policy, desired)


def _kept(app: Application, key: ObjectKey, live: Manifest, option: str) -> str:
    """3.5 docs, app deletion."""
    if is_kept(live):
        return f"{RESOURCE_POLICY} is keep"
    if key.group_kind == CRD:
        return "definitions are never deleted with an application"
    if key == ObjectKey("argoproj.io", "Application", app.namespace, app.name):
        return "it is the application's own manifest"
    return kept("Delete", _delete_option(live, option))


def _asks(live: Manifest, option: str) -> bool:
    return _delete_option(live, option) == "confirm"


def _delete_option(live: Manifest, option: str) -> str:
    """The value of `Delete=`: the object's own goes before its application's."""
    return own_options(live).get("Delete", option)


def _reconciled(
    app: Application, kind: str, server: Callable[[], str], seconds: float
) -> Iterator[tuple[Sample, float]]:
    """By namespace and API server: its histogram is not one per application."""
    del kind
    return observed(APP_RECONCILE, (app.namespace, server()), seconds)


POLICY = DialectPolicy(
    order=OrderPolicy(
        hooks=True,
        stages=argocd_stages,
        deletion_stages=wave_by_wave,
        prune_waves=_waves,
        place=_place,
        prune_place="waves of deletes are turned round",
    ),
    health=HealthPolicy(
        of=lambda live, _: argocd.health(live),
        by_rule=lambda live, _: argocd.rule_health(live),
        absent=_absent,
        ignored=_ignored,
        aggregated=worst,
        healthy=HealthStatus.HEALTHY,
        failed=HealthStatus.DEGRADED,
        deleting=HealthStatus.PROGRESSING,
        always_in_ready=True,  # its own health checks of child applications always count
    ),
    ownership=OwnershipPolicy(labels=lambda _: {}, annotations=_tracking, absorbs=_absorbs),
    options=OptionsPolicy(
        to_apply=_to_apply,
        to_prune=argocd_options,
        live_counts=False,  # the annotation `sync-options` is read in Git alone
    ),
    deletion=DeletionPolicy(
        leftover_differs=True,  # what requires pruning is OutOfSync
        kept=_kept,
        asks=_asks,
        suspended_gives_up=False,  # skip-reconcile leaves the application alone in its deletion, too
    ),
    metrics=MetricsPolicy(reconciled=_reconciled, gauge=APP_INFO, counts_syncs=True),
    governed=True,
    heals_with_backoff=True,  # its self-heal backs off
    retry_delay=lambda app, failures: retry_pause(app.sync.retry, failures),
    notes_failed_sync=True,  # SyncError
)
