"""Outcomes of an attempt that begins no step: what is shown and remembered of what was observed."""

from __future__ import annotations

import math
from dataclasses import replace

from gitops_workers.core.errors import GitOpsError, PruneRefused
from gitops_workers.core.model import Condition, Phase, SyncStatus
from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.record.record_copy import copy_of
from gitops_workers.core.sync import decision
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.self_heal_backoff import NextHeal
from gitops_workers.pipeline.operation import delays, namespaces, orphaned_hooks
from gitops_workers.pipeline.reconcile import projection
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.trace import Trace


def in_sync(observation: Observation, now: float) -> Outcome:
    """Nothing to write: note the agreement, and look again while something is still becoming healthy."""
    health = projection.health(observation.app, observation.states)
    baseline = projection.baseline(observation, synced=observation.rendered)
    looks = observation.previous.looks if observation.previous else 0
    waits = projection.unsettled(observation.app, observation.states)
    operation = decision.superseded(observation.previous, observation.resolved, now)
    if operation is not None:
        operation = replace(operation, failures=0, heal_at=0.0, looks=looks + 1 if waits else 0)
    due = delays.health_delay(observation.app, looks) if waits else _due(observation)
    return Outcome(
        message="In sync with Git.",
        sync=SyncStatus.SYNCED,
        health=health,
        resolved=observation.resolved,
        listed_at=observation.listed_at,
        operation=operation,
        baseline=baseline,
        resources=projection.resources(observation),
        history=observation.stored.record.history if observation.stored else None,
        record=copy_of(observation.cluster_name, observation.stored) if observation.stored else None,
        conditions=observation.app.conditions,
        due_in=due,
        waits_since=operation.finished_at if operation and waits else 0.0,
    )


def retained(observation: Observation, pruning: Pruning, now: float) -> Outcome:
    """Nothing to write, and something stays that left Git."""
    sync = SyncStatus.OUT_OF_SYNC if projection.counts(observation, pruning) else SyncStatus.SYNCED
    trace = Trace(pruning=pruning)
    return replace(
        in_sync(observation, now), message=projection.retained(observation.app, pruning), sync=sync, trace=trace
    )


def out_of_sync(observation: Observation, reason: str) -> Outcome:
    """The difference is shown; `reason` says why nothing is done about it now."""
    return Outcome(
        message=reason,
        sync=SyncStatus.OUT_OF_SYNC,
        health=projection.health(observation.app, observation.states),
        resolved=observation.resolved,
        listed_at=observation.listed_at,
        baseline=projection.baseline(observation, synced=observation.baseline.synced),
        resources=projection.resources(observation),
        history=observation.stored.record.history if observation.stored else None,
        record=copy_of(observation.cluster_name, observation.stored) if observation.stored else None,
        conditions=observation.app.conditions,
        due_in=namespaces.due_in(observation.app),
    )


def heals_later(observation: Observation, reason: str, heal: NextHeal, now: float) -> Outcome:
    """The difference is shown until its heal may run."""
    waiting = replace(observation.previous, heal_at=heal.at) if observation.previous else None
    return replace(out_of_sync(observation, reason), operation=waiting, due_in=heal.at - now)


def waiting(observation: Observation, reason: str, now: float) -> Outcome:
    """Not served: a dependency rings when it is ready, and should that get lost, the interval asks again."""
    shown = set_aside(observation, reason, now)
    due_in = min(observation.app.schedule.interval, shown.due_in or math.inf)
    return replace(shown, awaits_others=True, served=False, due_in=due_in)


def set_aside(observation: Observation, reason: str, now: float) -> Outcome:
    """Shown and not synced. What was running for an older commit ends here, since nobody steps it any more."""
    shown, operation = out_of_sync(observation, reason), observation.previous
    if operation is None or not operation.running:
        return shown
    short = observation.resolved.commit[:12]
    ended = operations.finish(operation, Phase.FAILED, f"Replaced by commit {short}, which waits.", now)
    return replace(shown, operation=ended, due_in=_due(observation))


def ended(observation: Observation, operation: Operation, error: GitOpsError) -> Outcome:
    """The operation failed for a reason that a human has to mend; what was there stays."""
    return Outcome(
        message=str(error),
        sync=SyncStatus.OUT_OF_SYNC,
        health=projection.health(observation.app, observation.states),
        resolved=observation.resolved,
        listed_at=observation.listed_at,
        operation=operation,
        baseline=projection.baseline(observation, synced=observation.baseline.synced),
        resources=projection.resources(observation),
        conditions=(*observation.app.conditions, Condition("SyncError", str(error))),
        due_in=delays.retry_delay(observation.app, operation.failures),
        trace=Trace(failed="Prune" if isinstance(error, PruneRefused) else "Operation"),
    )


def _due(observation: Observation) -> float | None:
    """Seconds until the next look where nothing is to be done: soon after an operation that ends with hooks begun."""
    cut_off = observation.previous is not None and observation.previous.running
    if cut_off and observation.stored and observation.stored.record.hooks:
        return orphaned_hooks.RECHECK_AFTER_S
    return namespaces.due_in(observation.app)
