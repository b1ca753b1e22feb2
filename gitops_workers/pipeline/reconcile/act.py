"""Carries a decision out: an outcome without a write, or one step of an operation."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.errors import Refused
from gitops_workers.core.model import Phase
from gitops_workers.core.prune.candidates import Evidence, Pruning
from gitops_workers.core.prune.candidates import decide as permitted_deletes
from gitops_workers.core.sync import decision
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.decision import DryRun, HealLater, HeldBack, InSync, Situation, Sync
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.plan import plan
from gitops_workers.core.sync.self_heal_backoff import NextHeal
from gitops_workers.pipeline import announcements
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import requests, step
from gitops_workers.pipeline.reconcile import dependencies, outcomes, stages, windows
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.trace import Trace


def act(context: Context, observation: Observation) -> Outcome:
    """Decide, and do one step of the operation where one is due."""
    situation, now = observation.situation, context.queue.now()
    match decision.decide(situation, now):
        case InSync():
            return outcomes.in_sync(observation, now)
        case HeldBack(reason):
            return outcomes.set_aside(observation, reason, now)
        case HealLater(heal, reason):
            return outcomes.heals_later(observation, reason, heal, now)
        case DryRun():
            return _dry_run(context, observation, situation, now)
        case Sync(heal):
            blocked = _blocked(context, observation, situation, now)
            return _sync(context, observation, situation, heal, now) if blocked is None else blocked


def _blocked(context: Context, observation: Observation, situation: Situation, now: float) -> Outcome | None:
    """The outcome where a sync window or a dependency forbids the step. Raises Refused for a part of a sync."""
    app, request, running = observation.app, observation.asked, situation.running
    blocked = windows.sync_blocked(
        context,
        app,
        observation.cluster_name,
        manual=bool(request),
        going=observation.previous if running else None,
    )
    if blocked is not None:
        if request is not None and request.is_partial and not running:
            raise Refused(blocked.reason)
        if running:
            return replace(outcomes.out_of_sync(observation, blocked.reason), due_in=blocked.due_in, served=False)
        shown = outcomes.set_aside(observation, blocked.reason, now)
        return replace(shown, due_in=min(blocked.due_in, shown.due_in or blocked.due_in))
    # A rollback does not wait for dependencies: what it goes back to was deployed beside them before.
    waits = not running and (request is None or request.rollback is None)
    if waits and (reason := dependencies.blocked_by(context, app, observation.listed_at)):
        return outcomes.waiting(observation, reason, now)
    return None


def _sync(
    context: Context, observation: Observation, situation: Situation, heal: NextHeal | None, now: float
) -> Outcome:
    """One step of the operation that goes on or begins."""
    running, request = situation.running, observation.asked
    operation = situation.previous if running else None
    operation = operation or decision.new_operation(situation, now, heal)
    if request is not None:
        operation = replace(operation, request=request, initiated_by=request.by)
    (announcements.bind_operation if running else announcements.announce_operation)(operation)
    context.tracer.note(operation=operation.run)
    try:
        pruning = _pruning(observation, situation)
        if running:
            return _step(context, observation, operation, pruning)
        if _only_retained(situation, pruning):
            return outcomes.retained(observation, pruning, now)
        operation = replace(operation, waves=tuple(sorted({item.turn for item in pruning.deletions})))
        if request is not None and request.revision:
            return requests.begun(context, observation, operation)
        return _step(context, observation, operation, pruning)
    except Refused as error:
        return outcomes.ended(observation, operations.finish(operation, Phase.FAILED, str(error), now), error)


def _only_retained(situation: Situation, pruning: Pruning) -> bool:
    """Whether nothing is to be done but to say what stays, to which the last operation has led already."""
    told = not pruning.awaiting_confirmation or situation.last_of_these_objects is not None
    return pruning.only_kept and told and not (situation.differing or situation.resumes or situation.reruns)


def _step(context: Context, observation: Observation, operation: Operation, pruning: Pruning) -> Outcome:
    hooks = observation.hooks if operation.hooks else ()
    with context.tracer.span("plan"):
        planned = plan(observation.app, observation.desired, pruning.deletions, operation.waves, hooks, pruning.leaving)
    outcome = step.run(context, observation, operation, planned, pruning)
    return replace(outcome, trace=Trace(plan=planned, pruning=pruning))


def _dry_run(context: Context, observation: Observation, situation: Situation, now: float) -> Outcome:
    """What would be done now."""
    pruning, trial = _pruning(observation, situation), decision.new_operation(situation, now, None)
    planned = plan(
        observation.app, observation.desired, pruning.deletions, hooks=observation.hooks if trial.hooks else ()
    )
    step.dry_run(context, observation, trial, planned, pruning)
    return requests.previewed(context, observation, planned, pruning)


def _pruning(observation: Observation, situation: Situation) -> Pruning:
    """Permission for the deletes of this generation. Without `prune` nothing is even read."""
    if not observation.stale or not observation.prunes:
        return Pruning()
    stale = tuple(item for item in observation.stale if item.key not in observation.denied)
    generation = observation.attempt.generation
    evidence = Evidence(
        generation=generation,
        rendered=generation,
        approved=generation,
        live=stages.read_candidates(observation.cluster, stale),
    )
    return permitted_deletes(
        observation.app,
        stale,
        len(observation.stored.record.inventory) if observation.stored else 0,
        evidence,
        wanted=observation.in_git,
        consent=situation.consent,
        confirmed=situation.confirmed,
        doubtful=observation.stored.record.doubtful if observation.stored else (),
    )
