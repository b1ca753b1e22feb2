"""Where applications are declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the dialects bring pydantic, which most users of the ports never need
    from gitops_workers.core.model import Problem
    from gitops_workers.dialects.document import Document


@dataclass(frozen=True, slots=True)
class Contents:
    """What a catalogue declared at one moment."""

    token: str
    """The token of just these documents. One that was asked for before may speak of other files: of one that had not
    come yet, and is gone again when it is asked for once more."""
    documents: list[Document]
    problems: list[Problem]
    """Files that could not be loaded. What such a file declared is unknown, not gone."""


class Catalogue(Protocol):
    """A place that declares applications. A place that cannot be read is unknown, never empty."""

    name: str
    """The setting that names it, without credentials, for messages."""
    repository: str
    """URL of the Git repository it is read from; "" for another place. A push there is news for the catalogue."""

    def token(self) -> str:
        """Cheap; changes when the documents may have changed. Raises SourceUnavailable."""

    def contents(self) -> Contents:
        """All documents, and the problems of files that could not be loaded. Raises SourceUnavailable."""
