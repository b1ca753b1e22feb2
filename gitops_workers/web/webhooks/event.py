"""The values that every provider's module speaks in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitops_workers.core.errors import Refused

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
    files: frozenset[str] | None = None
    """Paths that the push touched; None where the sender does not say, or says too much."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine request that means no work: a ping, an issue, a comment."""

    reason: str


class Rejected(Refused):
    """A request that is not what it should be; `status` is the HTTP status, 4xx."""

    def __init__(self, message: str, status: int = 400) -> None:
        """`message` reaches the sender: it never holds anything of the secret."""
        super().__init__(message)
        self.status = status


Read = Callable[[Headers, bytes, bytes], PushEvent | Ignored]
"""(headers, raw body, secret) -> event. Raises Rejected. The secret is never empty."""
