"""The user who asks, and what that user may do.

Only a bearer token, or sitting at this machine where that was switched on, gives authority: there is no cookie, so a
foreign page has nothing to ride on. What still comes from a browser must say that it comes from our own origin.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from fastapi import HTTPException, Request

from gitops_workers.core.text.redact import scrub
from gitops_workers.services.changes import Caller
from gitops_workers.web.services import Role, Token, WebServices

log = structlog.get_logger()
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Principal:
    """The user who asks: a token's holder, or the person at this machine."""

    name: str
    role: Role
    projects: frozenset[str] = frozenset()
    """The projects whose applications exist for them; empty means all."""


def services_of(request: Request) -> WebServices:
    """The services that the application was created with."""
    services = request.app.state.services
    assert isinstance(services, WebServices)
    return services


def reader(request: Request) -> Principal:
    """Dependency: anybody who may read. Raises 401, 403 or, when the API is off, 404."""
    settings = services_of(request).settings
    if not settings.tokens and not settings.open_to_loopback:
        raise HTTPException(404, "the API is off: set a token in GITOPS_TOKENS")
    header = request.headers.get("authorization", "")
    if header:
        return _bearer(header, settings.tokens)
    if settings.open_to_loopback and _sits_here(request):
        _require_same_origin(request)
        return Principal("local", Role.WRITE)
    raise _unauthorized("send a token: Authorization: Bearer <token>")


def everywhere(request: Request) -> Principal:
    """Dependency: a reader of all projects, for what belongs to no project."""
    principal = reader(request)
    if principal.projects:
        raise HTTPException(403, "the token is limited to projects; this belongs to none")
    return principal


def writer(request: Request) -> Principal:
    """Dependency: anybody who may change something, asking in JSON and from no foreign page."""
    principal = reader(request)
    # Before anything is looked up: what a reader may not do is refused alike for what exists and what does not.
    if principal.role is not Role.WRITE:
        log.warning("request_forbidden", by=principal.name, source=source_of(request), path=request.url.path)
        raise HTTPException(403, "the token may only read; use one with the role write")
    _require_same_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "send the request with Content-Type: application/json, with {} for no options")
    return principal


def source_of(request: Request) -> str:
    """Where a request comes from, for the audit: the peer's address, and what a proxy there says of it.

    The proxy's word proves nothing and decides nothing.
    """
    peer = request.client.host if request.client is not None else "unknown"
    said = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return f"{peer}, forwarded for {scrub(said[:64])}" if said else peer


def caller_of(request: Request, principal: Principal) -> Caller:
    """The user who asks a use case for a change."""
    return Caller(principal.name, source_of(request), principal.projects)


def _bearer(header: str, tokens: tuple[Token, ...]) -> Principal:
    scheme, _, value = header.partition(" ")
    given = hashlib.sha256(value.strip().encode("latin-1", "replace")).digest()
    # All are compared, so that the time tells neither how many there are nor which one it was.
    found = [token for token in tokens if hmac.compare_digest(token.digest, given)]
    if scheme.lower() != "bearer" or not found:
        raise _unauthorized("the token is not known; ask whoever runs this installation for one")
    return Principal(found[0].name, found[0].role, found[0].projects)


def _unauthorized(sentence: str) -> HTTPException:
    return HTTPException(401, sentence, {"WWW-Authenticate": "Bearer"})


def _sits_here(request: Request) -> bool:
    """A loopback client that named a loopback host: DNS rebinding has another name, a proxy its own headers."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    return (
        request.client is not None
        and _is_loopback(request.client.host)
        and (host == "localhost" or _is_loopback(host or ""))
        and not any(name in request.headers for name in _FORWARDED)
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _require_same_origin(request: Request) -> None:
    """Refuse what a browser sends for a page that is not ours; other clients send neither header."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    if site not in ("same-origin", "none") or (origin and urlsplit(origin).netloc != request.headers.get("host")):
        raise HTTPException(403, "the request comes from a page of another origin")
