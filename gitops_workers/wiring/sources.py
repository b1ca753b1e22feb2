"""How this installation reads sources: which kinds there are, and with what each is opened.

The recipe for a new kind of source is one module and one line:

1. A module in `adapters` with a class that is a `Reader` (`adapters.sources`) of that kind. What it keeps of answers it
   keeps by `SourceSpec.access`.
2. One line in `KINDS` below: the kind's name, and what opens the class with `Means`.

Closures, renders, polls, policy, history and commands know sources through the port alone. So that a manifest can name
such a source, the module of its dialect makes a `SourceSpec` with this `kind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitops_workers.adapters.git import GitSources, Turns
from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.adapters.sources import Reader, SourcesByKind
from gitops_workers.core.model import GIT
from gitops_workers.ports import RenderCache
from gitops_workers.settings import Settings
from gitops_workers.wiring.git import credential, git_settings
from gitops_workers.wiring.stores import mirrors_directory


@dataclass(frozen=True, slots=True)
class Means:
    """What sources are opened with."""

    settings: Settings
    secrets: SecretFiles
    shared: RenderCache
    """What all workers share of answers, sealed."""
    clock: Callable[[], float]
    """The clock that all workers share, in epoch seconds."""
    turns: Turns | None = None
    """How many may wait for servers through `Reader.bounded`."""


def _git(means: Means) -> GitSources:
    return GitSources(
        mirrors_directory(means.settings),
        git_settings(means.settings),
        lookup=lambda source: credential(means.secrets, source),
        shared=means.shared,
        clock=means.clock,
        turns=means.turns,
    )


KINDS: Mapping[str, Callable[[Means], Reader]] = {
    GIT: _git,
}
"""By `SourceSpec.kind`."""


def open_sources(means: Means) -> tuple[SourcesByKind, GitSources]:
    """Open the sources of all kinds, and of these Git for itself: for catalogues and submodules."""
    readers = {kind: opened(means) for kind, opened in KINDS.items()}
    git = readers[GIT]
    assert isinstance(git, GitSources)
    return SourcesByKind(readers), git
