"""From what was seen to what is done: nothing, a remark, or one step of an operation."""

from __future__ import annotations

import math
from dataclasses import replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.errors import GitOpsError, PruneRefused, Refused
from gitops_workers.core.model import Condition, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Evidence, Pruning, decide
from gitops_workers.core.record.record_copy import copy_of
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync import self_heal_backoff
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.plan import plan
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.timefmt import utc
from gitops_workers.pipeline import announcements
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import namespaces, orphaned_hooks, requests, step
from gitops_workers.pipeline.reconcile import dependencies, projection, stages, windows
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.trace import Trace


def act(context: Context, observation: Observation) -> Outcome:
    """Decide, and do one step of the operation where one is due."""
    app, now, asked = observation.app, context.queue.now(), observation.asked
    states = (*observation.states.values(), *((observation.namespace,) if observation.namespace else ()))
    differing = [item.compared.desired.key for item in states if not item.compared.in_sync]
    running = operations.continues(observation.previous, observation.resolved, observation.rendered, asked)
    unfinished = observation.unfinished and bool(app.sync.automated or asked)
    # Whoever asks for a sync has its hooks run, also when nothing differs (Argo CD 3.5).
    rerun = asked is not None and (asked.is_partial or bool(observation.hooks))
    if not running and not differing and not unfinished and not rerun and not _to_prune(observation):
        return _agreed(observation, now)
    if not running and (reason := _held_back(observation, differing)):
        return _set_aside(observation, reason, now)
    heal = _heal(observation, differing, now)
    if not running and heal is not None and heal.waits(now):
        return _heals_later(observation, differing, heal, now)
    if asked is not None and asked.dry_run:
        return _rehearsed(context, observation, now)
    blocked = windows.sync_blocked(
        context,
        app,
        observation.cluster_name,
        manual=bool(observation.asked),
        going=observation.previous if running else None,
    )
    if blocked is not None:
        if asked is not None and asked.is_partial and not running:
            raise Refused(blocked.reason)
        if running:
            return replace(_out_of_sync(observation, blocked.reason), due_in=blocked.due_in, served=False)
        shown = _set_aside(observation, blocked.reason, now)
        return replace(shown, due_in=min(blocked.due_in, shown.due_in or blocked.due_in))
    # Who goes back does not wait for others: what he goes back to was deployed beside them already.
    waits = not running and (asked is None or asked.rollback is None)
    if waits and (reason := dependencies.blocked_by(context, app, observation.listed_at)):
        return _waiting(observation, reason, now)
    operation = (
        observation.previous if running and observation.previous else _new_operation(observation, now, heal, differing)
    )
    if asked is not None:
        operation = replace(operation, request=asked, initiated_by=asked.by)
    (announcements.bind_operation if running else announcements.announce_operation)(operation)
    try:
        pruning = _pruning(observation)
        if not running:
            told = not pruning.awaiting_confirmation or _last_of(observation) is not None
            if pruning.only_kept and told and not differing and not unfinished and not rerun:
                return _kept(observation, pruning, now)
            operation = replace(operation, waves=tuple(sorted({item.turn for item in pruning.deletions})))
            if asked is not None and asked.revision:
                return requests.begun(context, observation, operation)
        hooks = observation.hooks if operation.hooks else ()
        planned = plan(app, observation.desired, pruning.deletions, operation.waves, hooks, pruning.leaving)
        return replace(
            step.run(context, observation, operation, planned, pruning), trace=Trace(plan=planned, pruning=pruning)
        )
    except Refused as error:
        return _ended(observation, operations.finish(operation, Phase.FAILED, str(error), now), error)


def _rehearsed(context: Context, observation: Observation, now: float) -> Outcome:
    """The dry run of what would be done now."""
    pruning, trial = _pruning(observation), _new_operation(observation, now, None, [])
    planned = plan(
        observation.app, observation.desired, pruning.deletions, hooks=observation.hooks if trial.hooks else ()
    )
    step.dry_run(context, observation, trial, planned, pruning)
    return requests.previewed(context, observation, planned, pruning)


def _to_prune(observation: Observation) -> bool:
    """Whether something that left Git is still to be deleted, or shown as such."""
    return observation.leftover and (
        observation.app.sync.prune or policy_of(observation.app.dialect).deletion.leftover_differs
    )


def _pruning(observation: Observation) -> Pruning:
    """Permission for the deletes of this generation. Without `prune` nothing is even read."""
    app = observation.app
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
    managed = len(observation.stored.record.inventory) if observation.stored else 0
    consent, confirmed = observation.asked is not None and observation.asked.prune, _confirmed(observation)
    doubtful = observation.stored.record.doubtful if observation.stored else ()
    return decide(
        app,
        stale,
        managed,
        evidence,
        wanted=observation.in_git,
        consent=consent,
        confirmed=confirmed,
        doubtful=doubtful,
    )


def _last_of(observation: Observation) -> Operation | None:
    """The last operation, if it was one of what Git has now: it is from its start on that a confirmation counts."""
    last = observation.previous
    return last if last is not None and last.rendered == observation.rendered else None


def _confirmed(observation: Observation) -> bool:
    """Whether a human has agreed to the deletes that ask for it, since they were asked for (Prune=confirm)."""
    last = _last_of(observation)
    if last is None:
        return False
    return last.consent if last.running else observation.app.deleting.approved_at > last.started_at


def _held_back(observation: Observation, differing: list[ObjectKey]) -> str:
    """Why a difference is shown and not synced; "" when it is to be synced."""
    app = observation.app
    if observation.asked:
        return ""
    if observation.paused:
        return f"{_count(observation, differing)}; {observation.paused.why}: {pauses.advice(app)}"
    if not app.sync.automated:
        return f"{_count(observation, differing)}; automated sync is off: run `gitops-workers app sync {app.id}`."
    if not differing and observation.stale and not observation.unfinished and not app.sync.prune:
        left = amount(len(observation.stale), "object")
        return f"{left} left Git; prune is off: run `gitops-workers app sync {app.id} --prune`."
    if _drifted(observation) and differing and not app.sync.self_heal:
        return f"{_count(observation, differing)} changed in the cluster; selfHeal is off."
    return ""


def _drifted(observation: Observation) -> bool:
    """Whether what differs was changed in the cluster, not in Git."""
    return observation.baseline.synced == observation.rendered and not observation.unfinished


def _heal(observation: Observation, differing: list[ObjectKey], now: float) -> self_heal_backoff.NextHeal | None:
    """The turn of a heal; None when this is none, or one that waits for nobody: a human's, or by the dialect's rule."""
    turns = policy_of(observation.app.dialect).heals_in_turns
    if observation.asked or not turns or not differing or not _drifted(observation):
        return None
    return self_heal_backoff.next_heal(observation.previous, observation.rendered, now)


def _heals_later(
    observation: Observation, differing: list[ObjectKey], heal: self_heal_backoff.NextHeal, now: float
) -> Outcome:
    times = "once" if heal.healed == 1 else f"{heal.healed} times"
    reason = (
        f"{_count(observation, differing)} changed again in the cluster; healed {times}, next at "
        f"{utc(heal.at)}. Somebody else writes it: see who by "
        "`kubectl get --show-managed-fields`."
    )
    waiting = replace(observation.previous, heal_at=heal.at) if observation.previous else None
    return replace(_out_of_sync(observation, reason), operation=waiting, due_in=heal.at - now)


def _count(observation: Observation, differing: list[ObjectKey]) -> str:
    first = str(differing[0] if differing else observation.stale[0].key)
    total = len(differing) + len(observation.stale)
    return first if total == 1 else f"{first} and {amount(total - 1, 'more object')}"


def _new_operation(
    observation: Observation, now: float, heal: self_heal_backoff.NextHeal | None, differing: list[ObjectKey]
) -> Operation:
    previous = observation.previous
    heals = heal.healed + 1 if heal else 0
    if (
        previous is not None
        and previous.rendered == observation.rendered
        and observation.unfinished
        and not observation.asked
    ):
        heals = previous.heals  # what a heal left unfinished is that heal still
    begun = operations.begin(
        observation.app,
        observation.attempt.generation,
        observation.resolved,
        now,
        observation.asked.by if observation.asked else "automated sync",
        failures=operations.failures_at(previous, observation.resolved.commit),
        consent=(observation.asked is not None and observation.asked.prune) or _confirmed(observation),
        rendered=observation.rendered,
        heals=heals,
        request=observation.asked,
    )
    drifted = not observation.asked and bool(differing) and _drifted(observation)
    # Argo CD heals by a selective sync, and that runs no hooks.
    hooks = begun.hooks and (bool(observation.asked) or not (heals or _drifted(observation)))
    return replace(begun, hooks=hooks, healed=_count(observation, differing) if drifted else "")


def _agreed(observation: Observation, now: float) -> Outcome:
    """Nothing to write: note the agreement, and look again while something is still becoming healthy."""
    health = projection.health(observation.app, observation.states)
    baseline = projection.baseline(observation, synced=observation.rendered)
    looks = observation.previous.looks if observation.previous else 0
    waits = projection.unsettled(observation.app, observation.states)
    operation = _at_rest(observation, now)
    if operation is not None:
        operation = replace(operation, failures=0, heal_at=0.0, looks=looks + 1 if waits else 0)
    due = step.health_delay(observation.app, looks) if waits else _due(observation)
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


def _kept(observation: Observation, pruning: Pruning, now: float) -> Outcome:
    """Nothing to write, and something stays that left Git."""
    sync = SyncStatus.OUT_OF_SYNC if projection.counts(observation, pruning) else SyncStatus.SYNCED
    trace = Trace(pruning=pruning)
    return replace(
        _agreed(observation, now), message=projection.retained(observation.app, pruning), sync=sync, trace=trace
    )


def _at_rest(observation: Observation, now: float) -> Operation | None:
    """The last operation; one that a newer commit made pointless ends here, since nobody steps it any more."""
    previous = observation.previous
    if previous is None or not previous.running:
        return previous
    overtaken = replace(previous, commit=observation.resolved.commit, ref=observation.resolved.ref)
    return operations.finish(overtaken, Phase.SUCCEEDED, "Nothing left to apply.", now)


def _out_of_sync(observation: Observation, reason: str) -> Outcome:
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


def _waiting(observation: Observation, reason: str, now: float) -> Outcome:
    """Not served: a dependency rings when it is ready, and should that get lost, the interval asks again."""
    shown = _set_aside(observation, reason, now)
    due_in = min(observation.app.schedule.interval, shown.due_in or math.inf)
    return replace(shown, awaits_others=True, served=False, due_in=due_in)


def _set_aside(observation: Observation, reason: str, now: float) -> Outcome:
    """Shown and not synced. What was running for an older commit ends here, since nobody steps it any more."""
    shown, operation = _out_of_sync(observation, reason), observation.previous
    if operation is None or not operation.running:
        return shown
    short = observation.resolved.commit[:12]
    ended = operations.finish(operation, Phase.FAILED, f"Replaced by commit {short}, which waits.", now)
    return replace(shown, operation=ended, due_in=_due(observation))


def _due(observation: Observation) -> float | None:
    """Seconds until the next look where nothing is to be done: soon after an operation that ends with hooks begun."""
    cut_off = observation.previous is not None and observation.previous.running
    if cut_off and observation.stored and observation.stored.record.hooks:
        return orphaned_hooks.RECHECK_AFTER_S
    return namespaces.due_in(observation.app)


def _ended(observation: Observation, operation: Operation, error: GitOpsError) -> Outcome:
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
        due_in=step.retry_delay(observation.app, operation.failures),
        trace=Trace(failed="Prune" if isinstance(error, PruneRefused) else "Operation"),
    )
