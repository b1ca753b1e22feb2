"""Manifests that cannot be read: shown on their applications, so that a user who looks for them finds the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import (
    REJECTED,
)
from gitops_workers.core.model import AppId, Application, Condition, Problem
from gitops_workers.core.status.rows import Event, Status
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.dialects import Parsed
from gitops_workers.dialects.kinds import dialect_of
from gitops_workers.pipeline.announcements import announce
from gitops_workers.pipeline.context import Context

log = structlog.get_logger()


def mark_broken(context: Context, app: Application, problems: Sequence[Problem]) -> None:
    """The last good version goes on; the status names the file, the line and the field."""
    text = "; ".join(str(problem) for problem in problems[:3])
    status = context.state.status(app.id)
    condition = Condition("InvalidSpecError", f"The last good version goes on: {text}")
    if status is not None and condition not in status.conditions:
        context.state.save_status(replace(status, conditions=(*app.conditions, condition)))
        announce(
            context.state, [Event(stamp(context.queue.now()), app.id, "Warning", condition.type, condition.message)]
        )


def reject_new(context: Context, parsed: Parsed, before: Mapping[AppId, Application]) -> None:
    """Applications that were never readable are shown with what is wrong, so that nobody looks for them in vain."""
    now = stamp(context.queue.now())
    unreadable = {app_id: problems for app_id, problems in parsed.rejected.items() if app_id not in before}
    rejected = context.state.load(REJECTED, WHOLE)
    for app_id in set(rejected or ()) - set(unreadable) - set(before):
        if app_id not in {app.id for app in parsed.applications}:
            context.state.delete_application(app_id)
    for app_id, problems in unreadable.items():
        text = "; ".join(str(problem) for problem in problems[:3])
        context.state.save_status(
            Status(
                id=app_id,
                dialect=str(dialect_of(app_id) or ""),
                project="default",
                cluster="",
                namespace="",
                repository="",
                path="",
                conditions=(Condition("InvalidSpecError", text),),
                message=text,
                changed_at=now,
            )
        )
        announce(context.state, [Event(now, app_id, "Warning", "InvalidSpecError", text)])
    context.state.save(REJECTED, WHOLE, tuple(sorted(unreadable)))
    for problem in parsed.problems:
        log.warning(
            "manifest_problem", file=problem.file, line=problem.line, field=problem.path, reason=problem.message
        )
