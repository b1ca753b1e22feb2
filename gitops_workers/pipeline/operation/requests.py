"""Requests on their way through an attempt: what is asked, what is aimed at, and what is said at the end.

A special request (a revision, some objects, a rollback, a dry run) says little about the application as a whole. So
its outcome leaves what is known of that alone, and the application is compared with its own revision right after.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.documents.kinds import ANSWER, PREVIEW
from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.errors import GitOpsError, Refused
from gitops_workers.core.model import Application, Condition, Phase, Resolved, RevisionSpec, SyncStatus
from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.record.record import HistoryEntry, InventoryItem, StoredRecord
from gitops_workers.core.source.snapshot import is_exact, restored
from gitops_workers.core.status.rows import Preview, ResourceView, Status
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync import pause as pauses
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.plan import Plan
from gitops_workers.core.sync.request import Answer, Request, reject_reason, select_keys
from gitops_workers.core.text.plural import amount
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import delays
from gitops_workers.pipeline.reconcile import projection
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.stages import DesiredState

RECHECK_AFTER_REQUEST_S = 1.0
"""Seconds until the application is compared with its own revision after something else was done with it."""
MOST_ROWS = 500
MOST_DIFF = 512 * 1024
"""Objects and characters of diffs that a preview shows; a first sync of something huge is read in Git."""


def resolve_request(
    context: Context, app: Application, asked: Request | None, previous: Operation | None, stored: StoredRecord | None
) -> tuple[Application, Resolved | None]:
    """What is synced: the application as the request wants it, and its commit where that is known already.

    Raises Refused when the request must not be begun.
    """
    if asked is None:
        return app, None
    if not operations.carries(previous, asked) and (
        reason := reject_reason(asked, app) or _in_the_way(asked, previous)
    ):
        raise Refused(reason)
    if asked.force:
        app = replace(app, sync=replace(app.sync, force=True))
    if asked.rollback is not None:
        entry = _entry(app, asked.rollback, stored)
        return restored(app, entry, context.sealer.open), Resolved(entry.revision, entry.ref)
    if asked.revision:
        source = replace(app.source, revision=RevisionSpec(value=asked.revision))
        return replace(app, source=source), operations.pinned_revision(previous, asked)
    return app, None


def select_resources(
    asked: Request | None, wanted: DesiredState, stale: tuple[InventoryItem, ...]
) -> tuple[DesiredState, tuple[InventoryItem, ...]]:
    """Of what Git wants and what has left it only what was asked for. Raises InvalidManifest when that is nothing."""
    keys = select_keys(asked, [*(item.key for item in wanted.desired), *(item.key for item in stale)])
    if keys is None:
        return wanted, stale
    desired = tuple(item for item in wanted.desired if item.key in keys)
    return DesiredState(desired), tuple(item for item in stale if item.key in keys)


def declined(
    context: Context, app: Application, asked: Request, previous: Operation | None, error: GitOpsError
) -> Outcome:
    """The request is not served, or no further. What else goes on goes on."""
    outcome = as_before(context, app, str(error))
    answer = Answer(asked.id, Phase.FAILED, str(error))
    if previous is not None and previous.running and operations.carries(previous, asked):
        ended = operations.finish(previous, Phase.FAILED, str(error), context.queue.now())
        return replace(outcome, operation=ended, answer=answer, due_in=RECHECK_AFTER_REQUEST_S)
    return replace(outcome, answer=answer, due_in=_rest(app, previous))


def begun(context: Context, observation: Observation, operation: Operation) -> Outcome:
    """The operation is written down with its commit before its first write: from here on no push changes it."""
    waiting = replace(operation, message=f"Begins at {operation.commit[:12]}.")
    return replace(as_before(context, observation.app, waiting.message), operation=waiting, served=False, due_in=0.0)


def previewed(context: Context, observation: Observation, plan: Plan, pruning: Pruning) -> Outcome:
    """What the sync would do, and nothing done. The application stays as it was known."""
    assert observation.asked is not None
    applied = [key for stage in plan.stages for key in stage.keys if not observation.states[key].compared.in_sync]
    doomed = [item.key for item in pruning.deletions]
    parts = [f"{amount(len(applied), 'object')} would be applied", f"{len(doomed)} pruned"]
    if plan.hooks:
        parts.append(f"{amount(len(plan.hooks), 'hook')} run")
    message = (
        f"Dry run at {observation.resolved.commit[:12]}: {', '.join(parts)}, in {amount(len(plan.stages), 'stage')}."
    )
    notes = dict.fromkeys(doomed, "Would be pruned.")
    notes |= {
        key: "Would be deleted and created." for key, look in observation.states.items() if look.recreate is not None
    }
    rows = tuple(
        replace(row, message=notes.get(projection.key_of(row), row.message))
        for row in projection.resources(observation)
        if row.status is not SyncStatus.SYNCED
    )
    answer = Answer(observation.asked.id, Phase.SUCCEEDED, message)
    outcome = as_before(context, observation.app, message)
    return replace(
        outcome, answer=answer, preview=_shortened(rows), due_in=_rest(observation.app, observation.previous)
    )


def limited_to_request(context: Context, observation: Observation, outcome: Outcome) -> Outcome:
    """The outcome of a special request's step, with no more claims than it may make."""
    asked = observation.asked
    if asked is None or not asked.is_partial or outcome.answer is not None:
        return outcome
    operation = outcome.operation
    if operation is not None and operation.phase is Phase.SUCCEEDED:
        operation = replace(operation, message=_words(observation, asked, operation.message))
        outcome = replace(outcome, operation=operation, message=operation.message)
    if outcome.served:
        outcome = replace(outcome, due_in=RECHECK_AFTER_REQUEST_S)
    if not asked.resources:
        return replace(outcome, sync=SyncStatus.OUT_OF_SYNC)
    before = as_before(context, observation.app, outcome.message)
    baseline = outcome.baseline
    if baseline is not None:
        # The objects that were not looked at, nor pruned, are as they were agreed last.
        touched = observation.states.keys() | {item.key for item in observation.stale}
        others = {key: item for key, item in observation.baseline.objects.items() if key not in touched}
        # A part of another state than the synced one makes the difference ours, and no hand-made change.
        synced = observation.baseline.synced if observation.baseline.synced == observation.rendered else ""
        baseline = replace(baseline, synced=synced, objects={**others, **baseline.objects})
    return replace(outcome, sync=before.sync, health=None, resolved=None, resources=None, baseline=baseline)


def documents(stored: StoredState, outcome: Outcome) -> dict[Kind[Any], Any]:
    """The answer, if the attempt had one to give, and what a dry run showed."""
    asked = stored.asked
    if (ended := stored.unanswered) is not None and ended.request is not None:
        return {ANSWER: Answer(ended.request.id, ended.phase, ended.message)}
    if asked is None or not outcome.served:
        return {}
    found: dict[Kind[Any], Any] = {ANSWER: outcome.answer or _answer(asked, outcome)}
    if outcome.preview is not None:
        found[PREVIEW] = Preview(asked.id, outcome.preview)
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


def _words(observation: Observation, asked: Request, message: str) -> str:
    if asked.rollback is None:
        return message
    text = f"Rolled back to #{asked.rollback} ({observation.resolved.commit[:12]}): {message}"
    entry = _entry(observation.app, asked.rollback, observation.stored)
    if not is_exact(entry.source):
        text += " Its parameters were not kept, so it was rendered with those of today."
    if asked.pause and (observation.app.sync.automated or observation.paused):
        text += f" Automated sync is paused. {pauses.advice(observation.app)}"
    return text


def _rest(app: Application, previous: Operation | None) -> float:
    """Seconds until what was going on before goes on: the next step, the next try, or a look."""
    if previous is None or previous.phase is Phase.SUCCEEDED:
        return RECHECK_AFTER_REQUEST_S
    return previous.wait if previous.running else delays.retry_delay(app, previous.failures)


def as_before(context: Context, app: Application, message: str) -> Outcome:
    """What is known of the application stays; only the message is new."""
    status: Status | None = context.state.status(app.id)
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
