"""The audit trail: an event for each request that is to change something, with the user, the address and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.model import AppId
from gitops_workers.core.status.changes import NORMAL, REFUSED, WARNING
from gitops_workers.core.status.rows import Event
from gitops_workers.core.sync.request import Request
from gitops_workers.core.text.plural import amount


@dataclass(frozen=True, slots=True)
class AuditedRequest:
    """What somebody asks. `verb`: sync, rollback, terminate, suspend, resume, refresh or delete. `at` is RFC 3339."""

    at: str
    app: AppId
    verb: str
    by: str
    source: str
    """An address, or the name of the host where a command was typed."""
    details: str = ""
    """The options, in words."""
    request: str = ""
    revision: str = ""

    def accepted(self, generation: int) -> Event:
        """It was stored, and the generation will have served it."""
        message = f"{self._words()}; accepted as generation {generation}."
        return self._event(NORMAL, f"{self.verb.capitalize()}Requested", message)

    def refused(self, reason: str) -> Event:
        """It was not stored."""
        return self._event(WARNING, REFUSED, f"{self._words()}; refused: {reason}")

    def _words(self) -> str:
        options = f" ({self.details})" if self.details else ""
        return f"{self.verb}{options} asked by {self.by} from {self.source}"

    def _event(self, kind: str, reason: str, message: str) -> Event:
        return Event(
            self.at,
            self.app,
            kind,
            reason,
            message,
            request=self.request,
            by=self.by,
            source=self.source,
            revision=self.revision,
        )


def details_of(request: Request) -> str:
    """What a request asks beyond its verb.

    >>> details_of(Request("1", "ann", prune=True, revision="v1.2"))
    'revision v1.2, prune'
    """
    options = {
        f"to #{request.rollback}": request.rollback is not None,
        f"revision {request.revision}": bool(request.revision),
        amount(len(request.resources), "selector"): bool(request.resources),
        "dry run": request.dry_run,
        "prune": request.prune,
        "force": request.force,
        "pause automation": request.pause,
    }
    return ", ".join(text for text, chosen in options.items() if chosen)
