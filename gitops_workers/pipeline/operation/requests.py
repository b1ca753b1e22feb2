"""Requests on their way through an attempt: what is asked, what is aimed at, and what is said at the end.

A special request (a revision, some objects, a rollback, a dry run) says little about the application as a whole. So
its outcome leaves what is known of that alone, and the application is compared with its own revision right after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gitops_workers.core.errors import GitOpsError, Refused
from gitops_workers.core.model import Application, Condition, Phase, Resolved, RevisionSpec, SyncStatus
from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, StoredRecord
from gitops_workers.core.source.snapshot import is_exact, restored
from gitops_workers.core.status.rows import ResourceView, Status
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.plan import Plan
from gitops_workers.core.sync.request import Answer, Request, chosen, objection, pending
from gitops_workers.core.text import codec
from gitops_workers.core.text.plural import amount
from gitops_workers.pipeline.context import World
from gitops_workers.pipeline.operation import step
from gitops_workers.pipeline.reconcile import projection
from gitops_workers.pipeline.reconcile.observation import Sight
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.stages import Wanted

REQUEST = "request"
"""Documents `request/<app>`: what was asked last; only askers write them."""
ANSWER = "answer"
"""Documents `answer/<app>`: how the request with this id ended, `{id, phase, message}`; only the engine writes them."""
PREVIEW = "preview"
"""Documents `preview/<app>`: what the last dry run would change, `{id, resources}`."""
AGAIN = 1.0
"""Seconds until the application is compared with its own revision after something else was done with it."""
MOST_ROWS = 500
MOST_DIFF = 512 * 1024
"""Objects and characters of diffs that a preview shows; a first sync of something huge is read in Git."""


def of(known: Mapping[str, Any], previous: Operation | None) -> Request | None:
    """What the attempt is asked for."""
    going = previous.request if previous is not None and previous.running else None
    return pending(known.get(REQUEST), (known.get(ANSWER) or {}).get("id", ""), going)


def aim(
    world: World, app: Application, asked: Request | None, previous: Operation | None, stored: StoredRecord | None
) -> tuple[Application, Resolved | None]:
    """What is synced: the application as the request wants it, and its commit where that is known already.

    Raises Refused when the request must not be begun.
    """
    if asked is None:
        return app, None
    if not operations.carries(previous, asked) and (reason := objection(asked, app) or _in_the_way(asked, previous)):
        raise Refused(reason)
    if asked.force:
        app = replace(app, sync=replace(app.sync, force=True))
    if asked.rollback is not None:
        entry = _entry(app, asked.rollback, stored)
        return restored(app, entry, world.sealer.open), Resolved(entry.revision, entry.ref)
    if asked.revision:
        source = replace(app.source, revision=RevisionSpec(value=asked.revision))
        return replace(app, source=source), operations.pinned(previous, asked)
    return app, None


def narrowed(
    asked: Request | None, wanted: Wanted, stale: tuple[InventoryItem, ...]
) -> tuple[Wanted, tuple[InventoryItem, ...]]:
    """Of what Git wants and what has left it only what was asked for. Raises InvalidManifest when that is nothing."""
    keys = chosen(asked, [*(item.key for item in wanted.desired), *(item.key for item in stale)])
    if keys is None:
        return wanted, stale
    desired = tuple(item for item in wanted.desired if item.key in keys)
    return Wanted(desired), tuple(item for item in stale if item.key in keys)


def declined(world: World, app: Application, asked: Request, previous: Operation | None, error: GitOpsError) -> Outcome:
    """The request is not served, or no further. What else goes on goes on."""
    outcome = as_before(world, app, str(error))
    answer = Answer(asked.id, Phase.FAILED, str(error))
    if previous is not None and previous.running and operations.carries(previous, asked):
        ended = operations.finish(previous, Phase.FAILED, str(error), world.queue.now())
        return replace(outcome, operation=ended, answer=answer, due_in=AGAIN)
    return replace(outcome, answer=answer, due_in=_rest(app, previous))


def begun(world: World, sight: Sight, operation: Operation) -> Outcome:
    """The operation is written down with its commit before its first write: from here on no push changes it."""
    waiting = replace(operation, message=f"Begins at {operation.commit[:12]}.")
    return replace(as_before(world, sight.app, waiting.message), operation=waiting, served=False, due_in=0.0)


def rehearsed(world: World, sight: Sight, plan: Plan, pruning: Pruning) -> Outcome:
    """What the sync would do, and nothing done. The application stays as it was known."""
    assert sight.asked is not None
    applied = [key for stage in plan.stages for key in stage.keys if not sight.looks[key].compared.in_sync]
    doomed = [item.key for item in pruning.deletions]
    parts = [f"{amount(len(applied), 'object')} would be applied", f"{len(doomed)} pruned"]
    if plan.hooks:
        parts.append(f"{amount(len(plan.hooks), 'hook')} run")
    message = f"Dry run at {sight.resolved.commit[:12]}: {', '.join(parts)}, in {amount(len(plan.stages), 'stage')}."
    notes = dict.fromkeys(doomed, "Would be pruned.")
    notes |= {key: "Would be deleted and created." for key, look in sight.looks.items() if look.recreate is not None}
    rows = tuple(
        replace(row, message=notes.get(projection.key_of(row), row.message))
        for row in projection.resources(sight)
        if row.status is not SyncStatus.SYNCED
    )
    answer = Answer(sight.asked.id, Phase.SUCCEEDED, message)
    outcome = as_before(world, sight.app, message)
    return replace(outcome, answer=answer, preview=_shortened(rows), due_in=_rest(sight.app, sight.previous))


def told(world: World, sight: Sight, outcome: Outcome) -> Outcome:
    """The outcome of a special request's step, with no more claims than it may make."""
    asked = sight.asked
    if asked is None or not asked.special or outcome.answer is not None:
        return outcome
    operation = outcome.operation
    if operation is not None and operation.phase is Phase.SUCCEEDED:
        operation = replace(operation, message=_words(sight, asked, operation.message))
        outcome = replace(outcome, operation=operation, message=operation.message)
    if outcome.served:
        outcome = replace(outcome, due_in=AGAIN)
    if not asked.resources:
        return replace(outcome, sync=SyncStatus.OUT_OF_SYNC)
    before = as_before(world, sight.app, outcome.message)
    agreement = outcome.agreement
    if agreement is not None:
        # The objects that were not looked at, nor pruned, are as they were agreed last.
        touched = sight.looks.keys() | {item.key for item in sight.stale}
        others = {key: item for key, item in sight.agreement.objects.items() if key not in touched}
        # A part of another state than the synced one makes the difference ours, and no hand-made change.
        synced = sight.agreement.synced if sight.agreement.synced == sight.rendered else ""
        agreement = replace(agreement, synced=synced, objects={**others, **agreement.objects})
    return replace(outcome, sync=before.sync, health=None, resolved=None, resources=None, agreement=agreement)


def documents(known: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    """The answer, if the attempt had one to give, and what a dry run showed."""
    previous = step.operation_from(known.get("operation"))
    asked = of(known, previous)
    if asked is None or not outcome.served:
        return {}
    answer = outcome.answer or _answer(asked, outcome)
    found: dict[str, Any] = {ANSWER: {**asdict(answer), "phase": answer.phase.value}}
    if outcome.preview is not None:
        rows = [codec.dump(row) for row in outcome.preview]
        found[PREVIEW] = {"id": asked.id, "resources": rows}
    return found


def _answer(asked: Request, outcome: Outcome) -> Answer:
    operation = outcome.operation
    if operation is not None and operations.carries(operation, asked):
        return Answer(asked.id, operation.phase, operation.message)
    good = outcome.sync is SyncStatus.SYNCED and not outcome.suspended
    return Answer(asked.id, Phase.SUCCEEDED if good else Phase.FAILED, outcome.message)


def _in_the_way(asked: Request, previous: Operation | None) -> str:
    """A part of a sync does not take the place of a whole one that is going on; everything else does."""
    if not asked.resources or asked.dry_run or previous is None or not previous.running:
        return ""
    if previous.request is not None and previous.request.resources:
        return ""
    return (
        "A sync of the whole application is running: wait for it (`app wait --operation`) or end it (`app terminate`)."
    )


def _entry(app: Application, number: int, stored: StoredRecord | None) -> HistoryEntry:
    history = stored.record.history if stored else ()
    for entry in history:
        if entry.id == number:
            return entry
    known = ", ".join(str(entry.id) for entry in history) or "nothing"
    raise Refused(f"{app.id}: the history has no entry {number}; it has {known} (`gitops-workers app history`).")


def _words(sight: Sight, asked: Request, message: str) -> str:
    if asked.rollback is None:
        return message
    text = f"Rolled back to #{asked.rollback} ({sight.resolved.commit[:12]}): {message}"
    entry = _entry(sight.app, asked.rollback, sight.stored)
    if not is_exact(entry.source):
        text += " Its parameters were not kept, so it was rendered with those of today."
    if asked.pause and (sight.app.sync.automated or sight.paused):
        text += f" Automated sync is paused. {pauses.advice(sight.app)}"
    return text


def _rest(app: Application, previous: Operation | None) -> float:
    """Seconds until what was going on before goes on: the next step, the next try, or a look."""
    if previous is None or previous.phase is Phase.SUCCEEDED:
        return AGAIN
    return previous.wait if previous.running else step.retry_delay(app, previous.failures)


def as_before(world: World, app: Application, message: str) -> Outcome:
    """What is known of the application stays; only the message is new."""
    status: Status | None = world.state.status(app.id)
    return Outcome(
        message=message,
        sync=status.sync if status else SyncStatus.UNKNOWN,
        conditions=_conditions(app, status),
        suspended=bool(status and status.suspended),
    )


def _conditions(app: Application, status: Status | None) -> tuple[Condition, ...]:
    return status.conditions if status else app.conditions


def _shortened(rows: tuple[ResourceView, ...]) -> tuple[ResourceView, ...]:
    left, kept = MOST_DIFF, []
    for row in rows[:MOST_ROWS]:
        left -= len(row.diff)
        kept.append(row if left >= 0 else replace(row, diff="", message=row.message or "The diff is too long."))
    return tuple(kept)
