"""The values that every provider's module speaks in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gitops_workers.core.errors import Refused

Body = bytes | bytearray
"""A large one is a bytearray: making bytes of it would hold it twice."""
Headers = Mapping[str, str]
"""Request headers: lower-case names, values as latin-1 text."""


@dataclass(frozen=True, slots=True)
class PushEvent:
    """A repository may have changed."""

    urls: tuple[str, ...]
    """Every address the sender gives for the repository, as sent."""
    refs: tuple[str, ...] = ()
    """Full or short ref names that moved."""
    default_branch: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine request that means no work: a ping, an issue, a comment."""

    reason: str


class Rejected(Refused):
    """A request that is not what it should be; `status` is an HTTP status, 4xx or 503, `code` one of `web.problems`."""

    def __init__(self, message: str, status: int = 400, code: str = "") -> None:
        """`message` reaches the sender: it never holds anything of the secret."""
        super().__init__(message)
        self.status = status
        self.code = code


def unproven(message: str) -> Rejected:
    """The proof of origin is missing or wrong: 400, as Argo CD and Flux answer it."""
    return Rejected(message, 400, "unauthorized")


def unlisted(server: str, event: str, listed: Sequence[str]) -> Rejected:
    """An event that nobody asked the server to send: 400, as Argo CD answers it."""
    return Rejected(f"{server} event {event[:40]!r} causes no work; have it send only {' and '.join(listed)}")


Admit = Callable[[Headers, bytes], Ignored | None]
"""(headers, secret) -> what can be said before the body is read. Raises Rejected. The secret is never empty."""
Read = Callable[[Headers, Body, bytes], PushEvent | Ignored]
"""(headers, raw body, secret) -> event. Raises Rejected. The secret is never empty."""
