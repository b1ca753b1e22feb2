"""Catalogues: the places that declare applications, as GITOPS_CATALOGUE and `--catalogue` name them.

The recipe for a new kind of catalogue is one module and one line:

1. A module here with a class that is a `Location` (`catalogues.location`) of that kind, and the port `Catalogue` that
   it opens.
2. One line in `KINDS` below: the prefix of its setting, and the function that reads the rest.

The worker, `up`, `doctor` and `render` know places through `parse` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitops_workers.adapters.catalogues.files import Folder
from gitops_workers.adapters.catalogues.git import PREFIX as GIT
from gitops_workers.adapters.catalogues.git import Repository
from gitops_workers.adapters.catalogues.location import Location, Readers

__all__ = ["Location", "Readers", "parse"]

KINDS: Mapping[str, Callable[[str], Location]] = {
    GIT: Repository.parse,
}
"""By the prefix of the setting. A text without any of them is a directory of this host."""


def parse(text: str) -> Location:
    """The place that a setting names. Raises InvalidManifest when it cannot be read; it is not looked at yet.

    >>> parse("git+https://token@git.example.com/team/fleet.git#main:clusters/prod").name
    'git+https://git.example.com/team/fleet.git#main:clusters/prod'
    """
    kind = next((kind for prefix, kind in KINDS.items() if text.startswith(prefix)), Folder.parse)
    return kind(text)
