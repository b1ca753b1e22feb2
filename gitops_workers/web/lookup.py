"""Finding the application that a path names, for exactly those who may see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import HTTPException
from starlette.convertors import Convertor, register_url_convertor

from gitops_workers.core.model import AppId
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import State
from gitops_workers.web.access import Principal
from gitops_workers.web.problems import Refusal


class _AppIdConvertor(Convertor[str]):
    """`<kind>/<namespace>/<name>` or a bare name: three segments or one, so that `/resources` behind it is no part."""

    regex = "[^/]+(?:/[^/]+/[^/]+)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("appid", _AppIdConvertor())


def find(state: State, principal: Principal, name: str) -> Status:
    """The status of an application by id or unique bare name.

    Raises 404 with one and the same answer, after the same reads, for what does not exist and what the caller may not
    see; 409 when a bare name means several that the caller sees.
    """
    rows = [state.status(app) for app in _candidates(state, name)]
    found = [row for row in rows if row is not None and principal.sees(row.project)]
    if len(found) > 1:
        names = ", ".join(status.id for status in found[:10])
        raise Refusal(409, "ambiguous-name", f"several applications have this name; use the id of one of them: {names}")
    if not found:
        raise HTTPException(404, "there is no such application, or the token may not see it; list /api/v1/applications")
    return found[0]


def shown(status: Status) -> dict[str, Any]:
    """The row as JSON; a repository URL never carries the login that somebody wrote into it."""
    return replace(status, repository=without_credentials(status.repository)).to_json()


def _candidates(state: State, name: str) -> list[AppId]:
    if "/" in name:
        return [name]
    # An unknown name is looked up all the same: it must cost what a hidden one costs.
    return [app for app in state.applications() if app.rpartition("/")[2] == name] or [name]
