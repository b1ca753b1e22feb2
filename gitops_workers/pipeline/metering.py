"""What attempts and polls add to the figures, under the names of the dialect whose applications they are about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import Application
from gitops_workers.core.status.flux_view import kind_of
from gitops_workers.core.status.listing import epoch
from gitops_workers.core.status.rows import Status
from gitops_workers.core.telemetry.figures import (
    APP_SYNC_SECONDS,
    APP_SYNCS,
    CONTROLLER_RECONCILES,
    FLUX_RECONCILE,
    counted,
    observed,
)
from gitops_workers.pipeline.context import Context

SUCCESS, ERROR, REQUEUE = "success", "error", "requeue"
"""Results as controller-runtime counts them."""


@dataclass(slots=True)
class Result:
    """How an attempt ended."""

    word: str = SUCCESS


@contextmanager
def attempt(context: Context, app: Application, began: float) -> Iterator[Result]:
    """Measure an attempt that began at `began` of the world's clock, however it ends."""
    context.meter.work_for(app.id, app.project)
    result = Result()
    try:
        yield result
    except BaseException:
        result.word = ERROR
        raise
    finally:
        seconds = context.clock() - began
        figures = policy_of(app.dialect).metrics
        context.meter.add(figures.reconciled(app, kind_of(app.id), lambda: server_of(context, app), seconds))
        controller = app.id.partition("/")[0]
        context.meter.add(counted(CONTROLLER_RECONCILES, (controller, result.word)))
        context.meter.work_for("", "")


def polled(context: Context, sources: Iterable[str], began: float) -> None:
    """A repository was looked at for these Flux sources (`GitRepository/flux-system/apps`): they are reconciled."""
    seconds = context.clock() - began
    for source in sources:
        kind, namespace, name = source.split("/", 2)
        context.meter.add(observed(FLUX_RECONCILE, (kind, name, namespace), seconds))


def ended(context: Context, app: Application, before: Status | None, after: Status) -> None:
    """Count the operation of an application that ended since `before`, and the seconds that it took."""
    operation, was = after.operation, before.operation if before else None
    if not policy_of(app.dialect).metrics.counts_syncs or operation is None or not operation.finished_at:
        return
    if was is not None and (was.started_at, was.finished_at) == (operation.started_at, operation.finished_at):
        return
    labels = (app.namespace, app.name, app.project, server_of(context, app), operation.phase.value, "false")
    seconds = max(0.0, epoch(operation.finished_at) - epoch(operation.started_at))
    context.meter.add(counted(APP_SYNCS, labels, app=app.id))
    context.meter.add(counted(APP_SYNC_SECONDS, labels, seconds, app.id))


def server_of(context: Context, app: Application) -> str:
    """The API server of an application's cluster as `argocd_app_info` names it: the manifest's word, or ours."""
    destination = app.destination
    if destination.server:
        return destination.server
    try:
        return context.clusters.server(context.clusters.resolve(destination.name, ""))
    except GitOpsError:
        return destination.name
