"""What each kind of catalogue says of a place before it is read, and what it reads with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gitops_workers.dialects.document import Load
from gitops_workers.ports import Catalogue
from gitops_workers.ports.git import Repositories


@dataclass(frozen=True, slots=True)
class Readers:
    """What catalogues are read with."""

    load: Load
    """Turns bytes into documents; in production it runs in the sandbox."""
    sources: Repositories
    now: Callable[[], float]
    """The clock that all workers share, in epoch seconds."""


class Location(Protocol):
    """A place that a setting names."""

    @property
    def name(self) -> str:
        """The setting without credentials, for messages."""

    @property
    def folder(self) -> Path | None:
        """The directory of this host that it is, whether or not that exists; None for any other place."""

    def open(self, readers: Readers) -> Catalogue:
        """The catalogue there. Nothing is read yet."""
