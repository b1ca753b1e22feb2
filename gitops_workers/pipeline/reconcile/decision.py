"""From what was seen to what is done: nothing, a remark, or one step of an operation."""

from __future__ import annotations

import math
from dataclasses import replace

from gitops_workers.core.errors import GitOpsError, PruneRefused, Refused
from gitops_workers.core.model import Condition, Dialect, Phase, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Evidence, Pruning, decide
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync import self_heal_backoff
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.plan import plan
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.timefmt import utc
from gitops_workers.pipeline import announcements, records
from gitops_workers.pipeline.context import World
from gitops_workers.pipeline.operation import namespaces, orphaned_hooks, requests, step
from gitops_workers.pipeline.reconcile import dependencies, projection, stages, windows
from gitops_workers.pipeline.reconcile.observation import Sight
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.trace import Trail


def act(world: World, sight: Sight) -> Outcome:
    """Decide, and do one step of the operation where one is due."""
    app, now, asked = sight.app, world.queue.now(), sight.asked
    looks = (*sight.looks.values(), *((sight.namespace,) if sight.namespace else ()))
    differing = [item.compared.desired.key for item in looks if not item.compared.in_sync]
    running = operations.continues(sight.previous, sight.resolved, sight.rendered, asked)
    unfinished = sight.unfinished and bool(app.sync.automated or asked)
    # Whoever asks for a sync has its hooks run, also when nothing differs (Argo CD 3.5).
    rerun = asked is not None and (asked.special or bool(sight.hooks))
    if not running and not differing and not unfinished and not rerun and not _to_prune(sight):
        return _agreed(sight, now)
    if not running and (reason := _held_back(sight, differing)):
        return _set_aside(sight, reason, now)
    heal = _heal(sight, differing, now)
    if not running and heal is not None and heal.waits(now):
        return _heals_later(sight, differing, heal, now)
    if asked is not None and asked.dry_run:
        return _rehearsed(world, sight, now)
    shut = windows.look(
        world, app, sight.cluster_name, manual=bool(sight.asked), going=sight.previous if running else None
    )
    if shut is not None:
        if asked is not None and asked.special and not running:
            raise Refused(shut.reason)
        if running:
            return replace(_out_of_sync(sight, shut.reason), due_in=shut.due_in, served=False)
        shown = _set_aside(sight, shut.reason, now)
        return replace(shown, due_in=min(shut.due_in, shown.due_in or shut.due_in))
    # Who goes back does not wait for others: what he goes back to was deployed beside them already.
    waits = not running and (asked is None or asked.rollback is None)
    if waits and (reason := dependencies.waiting(world, app, sight.listed_at)):
        return _waiting(sight, reason, now)
    operation = sight.previous if running and sight.previous else _new_operation(sight, now, heal, differing)
    if asked is not None:
        operation = replace(operation, request=asked, initiated_by=asked.by)
    (announcements.goes_on if running else announcements.begins)(operation)
    try:
        pruning = _pruning(sight)
        if not running:
            told = not pruning.unconfirmed or _last_of(sight) is not None
            if pruning.only_kept and told and not differing and not unfinished and not rerun:
                return _kept(sight, pruning, now)
            operation = replace(operation, waves=tuple(sorted({item.turn for item in pruning.deletions})))
            if asked is not None and asked.revision:
                return requests.begun(world, sight, operation)
        hooks = sight.hooks if operation.hooks else ()
        planned = plan(app, sight.desired, pruning.deletions, operation.waves, hooks, pruning.leaving)
        return replace(step.run(world, sight, operation, planned, pruning), trail=Trail(plan=planned, pruning=pruning))
    except Refused as error:
        return _ended(sight, operations.finish(operation, Phase.FAILED, str(error), now), error)


def _rehearsed(world: World, sight: Sight, now: float) -> Outcome:
    """The dry run of what would be done now."""
    pruning, trial = _pruning(sight), _new_operation(sight, now, None, [])
    planned = plan(sight.app, sight.desired, pruning.deletions, hooks=sight.hooks if trial.hooks else ())
    step.rehearse(world, sight, trial, planned, pruning)
    return requests.rehearsed(world, sight, planned, pruning)


def _to_prune(sight: Sight) -> bool:
    """Whether something that left Git is still to be deleted, or shown as such."""
    return sight.leftover and (sight.app.dialect is Dialect.ARGOCD or sight.app.sync.prune)


def _pruning(sight: Sight) -> Pruning:
    """Permission for the deletes of this generation. Without `prune` nothing is even read."""
    app = sight.app
    if not sight.stale or not sight.prunes:
        return Pruning()
    stale = tuple(item for item in sight.stale if item.key not in sight.barred)
    generation = sight.attempt.generation
    evidence = Evidence(
        generation=generation,
        rendered=generation,
        approved=generation,
        live=stages.read_candidates(sight.cluster, stale),
    )
    managed = len(sight.stored.record.inventory) if sight.stored else 0
    consent, confirmed = sight.asked is not None and sight.asked.prune, _confirmed(sight)
    doubtful = sight.stored.record.doubtful if sight.stored else ()
    return decide(
        app,
        stale,
        managed,
        evidence,
        wanted=sight.in_git,
        consent=consent,
        confirmed=confirmed,
        doubtful=doubtful,
    )


def _last_of(sight: Sight) -> Operation | None:
    """The last operation, if it was one of what Git has now: it is from its start on that a confirmation counts."""
    last = sight.previous
    return last if last is not None and last.rendered == sight.rendered else None


def _confirmed(sight: Sight) -> bool:
    """Whether a human has agreed to the deletes that ask for it, since they were asked for (Prune=confirm)."""
    last = _last_of(sight)
    if last is None:
        return False
    return last.consent if last.running else sight.app.deleting.approved_at > last.started_at


def _held_back(sight: Sight, differing: list[ObjectKey]) -> str:
    """Why a difference is shown and not synced; "" when it is to be synced."""
    app = sight.app
    if sight.asked:
        return ""
    if sight.paused:
        return f"{_count(sight, differing)}; {sight.paused.why}: {pauses.advice(app)}"
    if not app.sync.automated:
        return f"{_count(sight, differing)}; automated sync is off: run `gitops-workers app sync {app.id}`."
    if not differing and sight.stale and not sight.unfinished and not app.sync.prune:
        left = amount(len(sight.stale), "object")
        return f"{left} left Git; prune is off: run `gitops-workers app sync {app.id} --prune`."
    if _drifted(sight) and differing and not app.sync.self_heal:
        return f"{_count(sight, differing)} changed in the cluster; selfHeal is off."
    return ""


def _drifted(sight: Sight) -> bool:
    """Whether what differs was changed in the cluster, not in Git."""
    return sight.agreement.synced == sight.rendered and not sight.unfinished


def _heal(sight: Sight, differing: list[ObjectKey], now: float) -> self_heal_backoff.Turn | None:
    """The turn of a heal; None when this is none, or one that waits for nobody: a human's, or Flux'."""
    if sight.asked or sight.app.dialect is Dialect.FLUX or not differing or not _drifted(sight):
        return None
    return self_heal_backoff.turn(sight.previous, sight.rendered, now)


def _heals_later(sight: Sight, differing: list[ObjectKey], heal: self_heal_backoff.Turn, now: float) -> Outcome:
    times = "once" if heal.healed == 1 else f"{heal.healed} times"
    reason = (
        f"{_count(sight, differing)} changed again in the cluster; healed {times}, next at "
        f"{utc(heal.at)}. Somebody else writes it: see who by "
        "`kubectl get --show-managed-fields`."
    )
    waiting = replace(sight.previous, heal_at=heal.at) if sight.previous else None
    return replace(_out_of_sync(sight, reason), operation=waiting, due_in=heal.at - now)


def _count(sight: Sight, differing: list[ObjectKey]) -> str:
    first = str(differing[0] if differing else sight.stale[0].key)
    total = len(differing) + len(sight.stale)
    return first if total == 1 else f"{first} and {amount(total - 1, 'more object')}"


def _new_operation(
    sight: Sight, now: float, heal: self_heal_backoff.Turn | None, differing: list[ObjectKey]
) -> Operation:
    previous = sight.previous
    heals = heal.healed + 1 if heal else 0
    if previous is not None and previous.rendered == sight.rendered and sight.unfinished and not sight.asked:
        heals = previous.heals  # what a heal left unfinished is that heal still
    begun = operations.begin(
        sight.app,
        sight.attempt.generation,
        sight.resolved,
        now,
        sight.asked.by if sight.asked else "automated sync",
        failures=operations.failures_at(previous, sight.resolved.commit),
        consent=(sight.asked is not None and sight.asked.prune) or _confirmed(sight),
        rendered=sight.rendered,
        heals=heals,
        request=sight.asked,
    )
    drifted = not sight.asked and bool(differing) and _drifted(sight)
    # Argo CD heals by a selective sync, and that runs no hooks.
    hooks = begun.hooks and (bool(sight.asked) or not (heals or _drifted(sight)))
    return replace(begun, hooks=hooks, healed=_count(sight, differing) if drifted else "")


def _agreed(sight: Sight, now: float) -> Outcome:
    """Nothing to write: note the agreement, and look again while something is still becoming healthy."""
    health = projection.health(sight.app, sight.looks)
    agreement = projection.agreement(sight, synced=sight.rendered)
    looks = sight.previous.looks if sight.previous else 0
    waits = projection.unsettled(sight.app, sight.looks)
    operation = _at_rest(sight, now)
    if operation is not None:
        operation = replace(operation, failures=0, heal_at=0.0, looks=looks + 1 if waits else 0)
    due = step.health_delay(sight.app, looks) if waits else _due(sight)
    return Outcome(
        message="In sync with Git.",
        sync=SyncStatus.SYNCED,
        health=health,
        resolved=sight.resolved,
        listed_at=sight.listed_at,
        operation=operation,
        agreement=agreement,
        resources=projection.resources(sight),
        history=sight.stored.record.history if sight.stored else None,
        record=records.copy(sight.cluster_name, sight.stored) if sight.stored else None,
        conditions=sight.app.conditions,
        due_in=due,
        waits_since=operation.finished_at if operation and waits else 0.0,
    )


def _kept(sight: Sight, pruning: Pruning, now: float) -> Outcome:
    """Nothing to write, and something stays that left Git."""
    sync = SyncStatus.OUT_OF_SYNC if projection.counts(sight, pruning) else SyncStatus.SYNCED
    trail = Trail(pruning=pruning)
    return replace(_agreed(sight, now), message=projection.staying(sight.app, pruning), sync=sync, trail=trail)


def _at_rest(sight: Sight, now: float) -> Operation | None:
    """The last operation; one that a newer commit made pointless ends here, since nobody steps it any more."""
    previous = sight.previous
    if previous is None or not previous.running:
        return previous
    overtaken = replace(previous, commit=sight.resolved.commit, ref=sight.resolved.ref)
    return operations.finish(overtaken, Phase.SUCCEEDED, "Nothing left to apply.", now)


def _out_of_sync(sight: Sight, reason: str) -> Outcome:
    return Outcome(
        message=reason,
        sync=SyncStatus.OUT_OF_SYNC,
        health=projection.health(sight.app, sight.looks),
        resolved=sight.resolved,
        listed_at=sight.listed_at,
        agreement=projection.agreement(sight, synced=sight.agreement.synced),
        resources=projection.resources(sight),
        history=sight.stored.record.history if sight.stored else None,
        record=records.copy(sight.cluster_name, sight.stored) if sight.stored else None,
        conditions=sight.app.conditions,
        due_in=namespaces.due_in(sight.app),
    )


def _waiting(sight: Sight, reason: str, now: float) -> Outcome:
    """Not served: a dependency rings when it is ready, and should that get lost, the interval asks again."""
    shown = _set_aside(sight, reason, now)
    due_in = min(sight.app.schedule.interval, shown.due_in or math.inf)
    return replace(shown, awaits_others=True, served=False, due_in=due_in)


def _set_aside(sight: Sight, reason: str, now: float) -> Outcome:
    """Shown and not synced. What was running for an older commit ends here, since nobody steps it any more."""
    shown, operation = _out_of_sync(sight, reason), sight.previous
    if operation is None or not operation.running:
        return shown
    short = sight.resolved.commit[:12]
    ended = operations.finish(operation, Phase.FAILED, f"Replaced by commit {short}, which waits.", now)
    return replace(shown, operation=ended, due_in=_due(sight))


def _due(sight: Sight) -> float | None:
    """Seconds until the next look where nothing is to be done: soon after an operation that ends with hooks begun."""
    cut_off = sight.previous is not None and sight.previous.running
    if cut_off and sight.stored and sight.stored.record.hooks:
        return orphaned_hooks.SOON
    return namespaces.due_in(sight.app)


def _ended(sight: Sight, operation: Operation, error: GitOpsError) -> Outcome:
    """The operation failed for a reason that a human has to mend; what was there stays."""
    return Outcome(
        message=str(error),
        sync=SyncStatus.OUT_OF_SYNC,
        health=projection.health(sight.app, sight.looks),
        resolved=sight.resolved,
        listed_at=sight.listed_at,
        operation=operation,
        agreement=projection.agreement(sight, synced=sight.agreement.synced),
        resources=projection.resources(sight),
        conditions=(*sight.app.conditions, Condition("SyncError", str(error))),
        due_in=step.retry_delay(sight.app, operation.failures),
        trail=Trail(failed="Prune" if isinstance(error, PruneRefused) else "Operation"),
    )
