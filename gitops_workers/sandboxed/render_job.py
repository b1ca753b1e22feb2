"""What the module of a renderer is given: one job of a sandbox child."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_workers.sandboxed.export import Export
from gitops_workers.sandboxed.objects import Found
from gitops_workers.sandboxed.programs import Programs


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One render. `files` are (path, git mode, content), links followed."""

    request: Mapping[str, Any]
    """What the renderer's `request` said, and what every render is told."""
    files: Sequence[tuple[str, str, bytes]]
    programs: Programs
    folder: str
    """Where an export may stand, as this process sees it."""
    deadline: float
    """Monotonic seconds."""
    remarks: list[str] | None
    """Where what is taken without a word is told; None where it is refused (`objects.read`)."""

    @contextlib.contextmanager
    def exported(self) -> Iterator[Export]:
        """The files on disk, for a program; removed afterwards."""
        with Export(self.folder) as export:
            export.add(self.files)
            yield export


Render = Callable[[RenderJob], list[Found]]
"""The `render` of a renderer's module: the objects. Raises RenderFailed."""
