"""Automated sync that somebody has paused: what was rolled back stays where it is, and is compared still.

The pause stands in the record in the destination cluster, written together with the first write of the rollback: it
holds when Redis is lost, for else the loss of a cache would deploy again what was rolled back. A user who resumes
leaves the moment in the document `override/<app>`; the later of the two counts, and the record is brought in line with
it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitops_workers.core.documents.codec import Row
from gitops_workers.core.documents.wills import Override
from gitops_workers.core.model import Application, Condition

CONDITION = "AutomationPaused"


@dataclass(frozen=True, slots=True)
class Pause(Row):
    """Since when (epoch seconds), and what for: `ann rolled back to #3`."""

    at: float
    why: str


def in_force(pause: Pause | None, override: Override | None) -> Pause | None:
    """The pause, unless somebody has resumed the application since."""
    ended = pause is not None and override is not None and override.resumed_at >= pause.at
    return None if ended else pause


def with_pause_condition(app: Application, pause: Pause | None) -> Application:
    """The application as it is while the pause is in force: not automated, with a condition that says why."""
    if pause is None:
        return app
    condition = Condition(CONDITION, f"{pause.why}; automated sync is paused. {advice(app)}")
    return replace(app, sync=replace(app.sync, automated=False), conditions=(*app.conditions, condition))


def advice(app: Application) -> str:
    """How it ends."""
    return f"Run `gitops-workers app resume {app.id}` to follow Git again."
