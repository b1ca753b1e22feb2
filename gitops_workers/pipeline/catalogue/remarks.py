"""What is wrong or without effect in the catalogue and is no application's own: kept for those who look.

A kind that nothing is done with, a file that cannot be read: an application's page cannot show them, and a worker's log
is where nobody looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import REMARKS
from gitops_workers.core.documents.polls import CatalogueRemarks
from gitops_workers.core.model import Problem
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import State

KEPT = 50
"""Lines kept: a catalogue with more of them has one mistake many times; `validate` shows all."""


def save(context: Context, problems: Sequence[Problem]) -> None:
    """Replace the remarks by those of this reading."""
    lines = list(dict.fromkeys(str(problem) for problem in problems))
    context.state.save(REMARKS, WHOLE, CatalogueRemarks(tuple(lines[:KEPT]), len(lines)))


def remarks_of(state: State) -> CatalogueRemarks:
    """The remarks of the last reading, from one document."""
    return state.load(REMARKS, WHOLE) or CatalogueRemarks()
