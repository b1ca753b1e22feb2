"""What is wrong or without effect in the catalogue and is no application's own: kept for those who look.

A kind that nothing is done with, a file that cannot be read: an application's page cannot show them, and a worker's log
is where nobody looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.model import Problem
from gitops_workers.core.text.plural import amount
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import State

KIND, KEY = "catalogue", "remarks"
"""Document `catalogue/remarks`: `{lines, total}` of the last reading of the catalogue."""
KEPT = 50
"""Lines kept: a catalogue with more of them has one mistake many times; `validate` shows all."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """The remarks of the last reading; `total` counts those beyond the kept lines, too."""

    lines: tuple[str, ...] = ()
    total: int = 0

    @property
    def summary(self) -> str:
        """One sentence; "" where there is nothing to say."""
        return f"The catalogue has {amount(self.total, 'remark')}." if self.total else ""


def save(context: Context, problems: Sequence[Problem]) -> None:
    """Replace the remarks by those of this reading."""
    lines = list(dict.fromkeys(str(problem) for problem in problems))
    context.state.save(KIND, KEY, {"lines": lines[:KEPT], "total": len(lines)})


def remarks_of(state: State) -> Remarks:
    """The remarks of the last reading, from one document."""
    found = state.load(KIND, KEY) or {}
    return Remarks(tuple(found.get("lines", ())), int(found.get("total", 0)))
