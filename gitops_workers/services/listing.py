"""Listings of applications: pages of what the caller may see, or all rows."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import replace

from gitops_workers.core.model import Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import State, StatusPage, StatusQuery
from gitops_workers.services.lookup import EVERY_PROJECT

PAGE = 500
"""Rows per question to the store: a few hundred kilobytes."""


class Sort(enum.StrEnum):
    """The orders of a listing: what is in trouble first, by id, the worst first, or the newest change first."""

    TROUBLE = "trouble"
    NAME = "name"
    SYNC = "sync"
    HEALTH = "health"
    AGE = "age"


WORDS: Mapping[str, type[enum.StrEnum]] = {
    "sync": SyncStatus,
    "health": HealthStatus,
    "dialect": Dialect,
    "outcome": Phase,
}
"""The filters of a listing that take one of a few words; a word that none of them has fits nothing."""


def page(state: State, query: StatusQuery, projects: Collection[str] = EVERY_PROJECT) -> StatusPage:
    """Rows of the projects that the caller sees: one listing behind the other, in the order of the project names."""
    if not projects:
        return state.query(query)
    rows: list[Status] = []
    total = 0
    for project in sorted(projects):
        if query.project not in ("", project):
            continue
        skip, wanted = max(0, query.offset - total), query.limit - len(rows)
        # A page of one still tells the total when this project's rows are not wanted any more.
        part = state.query(replace(query, project=project, offset=skip, limit=max(1, wanted)))
        rows.extend(part.rows[: max(0, wanted)])
        total += part.total
    return StatusPage(tuple(rows), total)


def rows(state: State, query: StatusQuery) -> list[Status]:
    """All rows that a query means, page by page."""
    found: list[Status] = []
    while True:
        part = state.query(replace(query, offset=len(found), limit=PAGE))
        found += part.rows
        if not part.rows or len(found) >= part.total:
            return found
