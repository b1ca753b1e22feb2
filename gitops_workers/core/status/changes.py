"""What has become of an application, as events: from its status before and after, and nothing else.

An operation has its own events, by its id: two of them that say the same words are two events. A progress that is told
again in the same words is none.
"""

from __future__ import annotations

from gitops_workers.core.model import AppId, Condition, HealthStatus, Phase, SyncStatus
from gitops_workers.core.prune import relocation
from gitops_workers.core.prune.deletion import DELETION_HELD
from gitops_workers.core.status import sync_error
from gitops_workers.core.status.rows import Event, OperationView, Status
from gitops_workers.core.sync import pause
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Answer

NORMAL, WARNING = "Normal", "Warning"
SELF_HEAL = "SelfHeal"
REFUSED = "RequestRefused"
RESUMED = "AutomationResumed"

_ILL = frozenset({HealthStatus.DEGRADED, HealthStatus.FAILED})
_IN_DOUBT = frozenset({HealthStatus.MISSING, HealthStatus.NOT_FOUND, HealthStatus.UNKNOWN})
_TOLD_ELSEWHERE = frozenset(
    {pause.CONDITION, relocation.CONDITION, DELETION_HELD, sync_error.TYPE, "InvalidSpecError", "UnsupportedField"}
)
"""Conditions whose event is made where they begin: by the catalogue's refresh, or here with other words."""


def changes(
    app: AppId, before: Status | None, after: Status, operation: Operation | None, answer: Answer | None, at: str
) -> list[Event]:
    """The events of one attempt. `operation` is what `after.operation` shows of; `answer` ends a request by itself."""
    found = [*_of_operation(app, before, after, operation, at)]
    if answer is not None and answer.phase is Phase.FAILED:
        found.append(Event(at, app, WARNING, REFUSED, answer.message, request=answer.id))
    if before is not None:
        found += _of_sync(app, before, after, at)
        found += _of_health(app, before, after, at)
        found += _of_pause(app, before, after, at)
    said = {event.message for event in found}
    known = before.conditions if before else ()
    for item in after.conditions:
        new = item not in known and item.type not in _TOLD_ELSEWHERE
        if new and not any(item.message in text for text in said):
            found.append(Event(at, app, WARNING, item.type, item.message))
    return found


def _of_operation(
    app: AppId, before: Status | None, after: Status, operation: Operation | None, at: str
) -> list[Event]:
    """One where it begins, one per news of it, one where it ends: at least one for every operation."""
    was, now = before.operation if before else None, after.operation
    if now is None or (was is not None and _told(was) == _told(now)):
        return []
    asked = operation.request.id if operation is not None and operation.request is not None else ""
    kind = WARNING if now.phase in {Phase.FAILED, Phase.ERROR} else NORMAL

    def event(kind: str, reason: str, message: str) -> Event:
        return Event(
            at,
            app,
            kind,
            reason,
            message,
            operation=now.id,
            request=asked,
            by=now.initiated_by,
            revision=now.revision,
        )

    events = []
    if operation is not None and operation.healed and (was is None or was.id != now.id):
        # Once is what self-heal is for; again and again is a fight that somebody should end.
        again = f" That makes {operation.heals} times in a row." if operation.heals > 1 else ""
        text = f"Somebody changed {operation.healed} in the cluster; it is put back.{again}"
        events.append(event(WARNING if again else NORMAL, SELF_HEAL, text))
    return [*events, event(kind, f"Operation{now.phase}", now.message)]


def _told(view: OperationView) -> tuple[str, Phase, str]:
    return view.id, view.phase, view.message


def _of_sync(app: AppId, before: Status, after: Status, at: str) -> list[Event]:
    if before.sync is after.sync:
        return []
    usual = after.sync is SyncStatus.SYNCED or (after.sync is SyncStatus.OUT_OF_SYNC and _running(after))
    text = f"{before.sync} -> {after.sync}: {after.message}"
    return [Event(at, app, NORMAL if usual else WARNING, "SyncStatusChanged", text, revision=after.revision)]


def _of_health(app: AppId, before: Status, after: Status, at: str) -> list[Event]:
    if before.health is after.health:
        return []
    bad = after.health in _ILL or (after.health in _IN_DOUBT and not _running(after))
    note = f": {after.health_message}" if after.health_message else ""
    text = f"{before.health} -> {after.health}{note}"
    return [Event(at, app, WARNING if bad else NORMAL, "HealthChanged", text, revision=after.revision)]


def _of_pause(app: AppId, before: Status, after: Status, at: str) -> list[Event]:
    was, now = _pause_of(before.conditions), _pause_of(after.conditions)
    if now and not was:
        return [Event(at, app, NORMAL, pause.CONDITION, now)]
    if was and not now and after.sync is not SyncStatus.UNKNOWN:
        return [Event(at, app, NORMAL, RESUMED, "Automated sync goes on.")]
    return []


def _pause_of(conditions: tuple[Condition, ...]) -> str:
    return next((item.message for item in conditions if item.type == pause.CONDITION), "")


def _running(status: Status) -> bool:
    return status.operation is not None and status.operation.phase is Phase.RUNNING
