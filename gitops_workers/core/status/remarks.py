"""What upstream takes without a word, and people should know: a condition that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gitops_workers.core.model import Application, Condition

REPEATED = "RepeatedKeyWarning"
REPEATED_OBJECT = "RepeatedResourceWarning"
"""Argo CD's own word for an object that stands twice."""
SHOWN = 5
"""Remarks in one condition."""


def with_remarks_condition(app: Application, remarks: Sequence[str], condition: str = REPEATED) -> Application:
    """The application with a condition about what its render had to say."""
    if not remarks:
        return app
    more = f" And {len(remarks) - SHOWN} more." if len(remarks) > SHOWN else ""
    return replace(app, conditions=(*app.conditions, Condition(condition, " ".join(remarks[:SHOWN]) + more)))
