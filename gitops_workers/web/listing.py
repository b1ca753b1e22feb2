"""Listings page by page, with a cursor that only this API reads, and only what the caller may see."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace

from fastapi import HTTPException

from gitops_workers.core.status import Status
from gitops_workers.ports import State, StatusPage, StatusQuery
from gitops_workers.web.access import Principal

MAX_OFFSET = 10_000_000


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
    return base64.urlsafe_b64encode(f"o{offset}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The offset of a cursor; 400 when it is none of ours."""
    if not cursor:
        return 0
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        offset = int(text[1:]) if text[:1] == "o" and text[1:].isascii() and text[1:].isdigit() else -1
    except (binascii.Error, ValueError):
        offset = -1
    if not 0 <= offset <= MAX_OFFSET:
        raise HTTPException(400, "the cursor is none of this API; begin again without one")
    return offset
