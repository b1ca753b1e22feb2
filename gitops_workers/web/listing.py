"""Listings page by page, with a cursor that only this API reads, and only what the caller may see."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.status.rows import Status
from gitops_workers.ports import State, StatusPage, StatusQuery
from gitops_workers.web.access import Principal

CURSOR = "^(o[0-9]{1,7})?$"
"""What a cursor looks like. Only this API makes and reads them."""


def page(state: State, principal: Principal, query: StatusQuery) -> StatusPage:
    """Rows of the projects that the caller sees: one listing behind the other, in the order of the project names."""
    if not principal.projects:
        return state.query(query)
    rows: list[Status] = []
    total = 0
    for project in sorted(principal.projects):
        if query.project not in ("", project):
            continue
        skip, wanted = max(0, query.offset - total), query.limit - len(rows)
        # A page of one still tells the total when this project's rows are not wanted any more.
        part = state.query(replace(query, project=project, offset=skip, limit=max(1, wanted)))
        rows.extend(part.rows[: max(0, wanted)])
        total += part.total
    return StatusPage(tuple(rows), total)


def encode_cursor(offset: int) -> str:
    """The cursor of the page that begins there."""
    return f"o{offset}"


def decode_cursor(cursor: str) -> int:
    """The offset of a cursor that fits CURSOR."""
    return int(cursor[1:]) if cursor else 0
