"""The outcome of one step of an operation; a finished operation settles the record, too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Application, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.record.record import HistoryEntry
from gitops_workers.core.record.record_copy import copy_of
from gitops_workers.core.source.snapshot import snapshot
from gitops_workers.core.sync.operation import Operation
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import namespaces
from gitops_workers.pipeline.operation.delays import health_delay, retry_delay
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.pipeline.reconcile import projection
from gitops_workers.pipeline.reconcile.object_state import ObjectState
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.recovery import lost_records


def report_step(
    context: Context,
    observation: Observation,
    writer: Writer,
    operation: Operation,
    states: dict[ObjectKey, ObjectState],
    pruning: Pruning,
    watched: bool,
) -> Outcome:
    """The step's outcome; a finished operation also settles the record."""
    succeeded = operation.phase is Phase.SUCCEEDED
    history = observation.stored.record.history if observation.stored else ()
    left = {item.key for item in pruning.deletions} - writer.deleted
    if succeeded:
        history = _settled(context, observation, writer, operation, _away(observation, writer, pruning))
    in_sync = all(state.compared.in_sync for state in states.values()) and not (
        observation.leftover and not _pruned(observation)
    )
    stays = projection.retained(observation.app, pruning) if succeeded else ""
    approved = pruning.awaiting_confirmation and observation.app.deleting.approved_at > operation.started_at
    return Outcome(
        message=f"{operation.message} {stays}".strip(),
        sync=SyncStatus.SYNCED if in_sync and not projection.counts(observation, pruning) else SyncStatus.OUT_OF_SYNC,
        health=projection.health(observation.app, states),
        resolved=observation.resolved,
        listed_at=observation.listed_at,
        operation=operation,
        baseline=projection.baseline(
            observation, states=states, synced=observation.rendered if succeeded else observation.baseline.synced
        ),
        resources=projection.resources(observation, states, pruning.retained),
        history=history,
        record=copy_of(observation.cluster_name, writer.stored) if writer.stored else None,
        conditions=lost_records.still_true(observation.app.conditions, writer.stored),
        served=operation.phase is not Phase.RUNNING,
        due_in=1.0
        if succeeded and (left or approved or not in_sync)
        else _due(observation.app, operation, states, watched),
        waits_since=_waits_since(observation.app, operation, states, watched),
    )


def _pruned(observation: Observation) -> bool:
    return observation.prunes or not policy_of(observation.app.dialect).deletion.leftover_differs


def _settled(
    context: Context, observation: Observation, writer: Writer, operation: Operation, away: set[ObjectKey]
) -> tuple[HistoryEntry, ...]:
    """The record after the good end. A part of a sync is no deployment: no entry in the history (Argo CD 3.5)."""
    history = observation.stored.record.history if observation.stored else ()
    if not writer.part:
        return writer.settle(away, _history_entry(context, observation, operation, history)).history
    return writer.settle(away, None).history if writer.fenced or away else history


def _away(observation: Observation, writer: Writer, pruning: Pruning) -> set[ObjectKey]:
    """What leaves the inventory: only what was really deleted, is gone or belongs to somebody else now."""
    if not observation.app.sync.prune and not policy_of(observation.app.dialect).deletion.leftover_differs:
        return {item.key for item in observation.stale}
    return writer.deleted | set(pruning.gone) | set(pruning.not_owned)


def _waits_since(
    app: Application, operation: Operation, states: Mapping[ObjectKey, ObjectState], watched: bool
) -> float:
    if operation.running:
        return operation.shut_at if operation.looks and watched else 0.0
    return operation.finished_at if projection.unsettled(app, states) else 0.0


def _due(
    app: Application, operation: Operation, states: Mapping[ObjectKey, ObjectState], watched: bool
) -> float | None:
    if operation.running and not operation.looks:
        return 0.0
    if operation.running:
        return operation.watched_wait if watched else operation.wait
    if operation.phase is not Phase.SUCCEEDED:
        return retry_delay(app, operation.failures)
    return health_delay(app, 0) if projection.unsettled(app, states) else namespaces.due_in(app)


def _history_entry(
    context: Context, observation: Observation, operation: Operation, history: tuple[HistoryEntry, ...]
) -> HistoryEntry:
    last = history[-1] if history else None
    again = last is not None and (last.revision, last.digest) == (observation.resolved.commit, observation.rendered)
    # A user who names a revision gets an entry also where nothing differed; a repeated attempt must not give a second
    # one.
    renewed = again and observation.asked is not None and observation.asked.has_target_revision
    return HistoryEntry(
        id=last.id + (not renewed) if last else 0,
        revision=observation.resolved.commit,
        ref=observation.resolved.ref,
        source=snapshot(observation.app, observation.resolved.commit, context.sealer.close),
        digest=observation.rendered,
        initiated_by=operation.initiated_by,
        deployed_at=datetime.fromtimestamp(operation.finished_at, UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z"),
        outcome=operation.phase.value,
    )
