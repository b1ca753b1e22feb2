"""Reading documents for a state store: whichever it is, it says what it could not read and has that written anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from gitops_workers.core.documents.kind import Kind, Owner

T = TypeVar("T")
log = structlog.get_logger()


class DocumentReader:
    """Reads what a store has under a kind and a key."""

    def __init__(self, refresh_again: Callable[[], None]) -> None:
        """`refresh_again` makes the next refresh of the catalogue write everything that it derives."""
        self._refresh_again = refresh_again

    def read(self, kind: Kind[T], key: str, value: Any) -> T | None:
        """The document in JSON data (or `DAMAGED`), as its kind says where that cannot be read."""

        def complain(reason: str) -> None:
            log.warning("document_unreadable", document=kind.name, key=key, reason=reason, writer=kind.owner.value)
            if kind.owner is Owner.CATALOGUE:
                self._refresh_again()

        return kind.read(value, complain)
