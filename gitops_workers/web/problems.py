"""Refusals and failures as problem details (RFC 9457): one shape, and a code that programs can go by."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException as StarletteException
from starlette.responses import Response

from gitops_workers.core.errors import AmbiguousName, InvalidManifest, NoSuchApplication, NoSuchEntry, Refused, WrongKey

MEDIA_TYPE = "application/problem+json"
USE_CASES = "/api/v1/"
"""What is below is asked by somebody with a token, and answered by `gitops_workers.services`."""
CODES: Mapping[str, str] = {
    "invalid": "A parameter, an option or the body is not what it should be.",
    "unauthorized": "The token, the signature or the secret is missing or wrong.",
    "forbidden": "The token may not do this, or the request comes from a foreign page.",
    "not-found": "There is no such path, application, history entry or Receiver, or it is switched off.",
    "method-not-allowed": "The path has other methods; the header Allow names them.",
    "body-late": "The body did not arrive in time.",
    "ambiguous-name": "The bare name fits several applications; the id of one is wanted.",
    "conflict": "The application is in a state in which this cannot be done; the detail says what to do first.",
    "too-large": "The body is larger than any event of a Git server.",
    "not-json": "The request has another content type than application/json.",
    "too-many": "Too many event streams are open; one has to be closed first.",
    "failed": "The process has made a mistake; its log has the traceback.",
    "unavailable": "The store or this process cannot serve the request now; the same request may be sent again.",
}
"""What each code means; `/api/docs` lists them, and `type` points there."""
_OF_STATUS = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "body-late",
    409: "conflict",
    413: "too-large",
    415: "not-json",
    422: "invalid",
    429: "too-many",
    500: "failed",
    503: "unavailable",
}
_OF_REFUSAL: tuple[tuple[type[Refused], int, str], ...] = (
    (NoSuchApplication, 404, "not-found"),
    (NoSuchEntry, 404, "not-found"),
    (AmbiguousName, 409, "ambiguous-name"),
    (WrongKey, 409, "conflict"),
    (InvalidManifest, 422, "invalid"),
    (Refused, 409, "conflict"),
)
"""What a refusal is in HTTP; the first class that fits counts."""


class Problem(BaseModel):
    """Why a request was not served (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="Where the code is explanation_of.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What was found, and what to do.")
    code: str = Field(description="The kind of the problem.", json_schema_extra={"enum": list(CODES)})


class Refusal(HTTPException):
    """An HTTP error of another kind than its status says by itself."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        """`code` is one of CODES."""
        super().__init__(status, detail)
        self.code = code


def content(status: int, detail: str, code: str = "") -> bytes:
    """The body of a problem."""
    code = code or _OF_STATUS.get(status, "failed" if status >= 500 else "invalid")
    title = HTTPStatus(status).phrase
    problem = Problem(type=f"/api/docs#{code}", title=title, status=status, detail=detail, code=code)
    return orjson.dumps(problem.model_dump())


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a path's description: these statuses, and those that every path has."""
    schema = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": schema}
        for status in sorted({*statuses, 408, 413, 500, 503})
    }


def first_error(problem: ValidationError | RequestValidationError, skip: int = 0) -> str:
    """The first thing that is wrong, by its place; `skip` leaves out so many parts of the place."""
    error = problem.errors()[0]
    place = ".".join(str(part) for part in error["loc"][skip:]) or "the body"
    return f"{place}: {error['msg']}"


async def refused(request: Request, problem: Exception) -> Response:
    """Handler of what routes and the router raise."""
    assert isinstance(problem, StarletteException)
    status, detail, headers = problem.status_code, str(problem.detail), problem.headers
    if status == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = "there is no such path; /api/docs lists all of them"
    if status == 405:
        # The router names the methods of one route alone, and several may share a path.
        doors = [door for door in request.app.state.doors if door.path_regex.match(request.url.path)]
        allowed = ", ".join(sorted({method for door in doors for method in door.methods}))
        detail, headers = f"this path is asked by {allowed}", {"Allow": allowed}
    return Response(content(status, detail, getattr(problem, "code", "")), status, headers, MEDIA_TYPE)


async def declined(request: Request, problem: Exception) -> Response:
    """Handler of what the use cases refuse.

    Elsewhere a refusal that nobody has caught is our mistake: who sends a webhook must not read what it quotes.
    """
    if not request.url.path.startswith(USE_CASES):
        raise problem
    status, code = next((status, code) for kind, status, code in _OF_REFUSAL if isinstance(problem, kind))
    return Response(content(status, str(problem), code), status, media_type=MEDIA_TYPE)


async def invalid(_request: Request, problem: Exception) -> Response:
    """Handler of parameters that do not fit."""
    assert isinstance(problem, RequestValidationError)
    return Response(content(422, first_error(problem, 1)), 422, media_type=MEDIA_TYPE)


async def outage(_request: Request, _problem: Exception) -> Response:
    """Handler of what the ports raise when the store does not answer."""
    body = content(503, "the store does not answer; send the request again")
    return Response(body, 503, {"Retry-After": "5"}, MEDIA_TYPE)


async def failed(_request: Request, problem: Exception) -> Response:
    """Handler of our own mistakes; their text may hold anything, so only the class is told."""
    body = content(500, f"{type(problem).__name__} in gitops-workers itself; the log of the web process has more")
    return Response(body, 500, media_type=MEDIA_TYPE)
