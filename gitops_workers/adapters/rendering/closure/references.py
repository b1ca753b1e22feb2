"""What kustomizations and charts refer to, read in the sandbox and remembered by blob id."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.ports import Sources, TreeEntry
from gitops_workers.sandbox_protocol.frames import Runner

REMEMBERED = 20_000
"""Blobs: about 10 MB, and more kustomizations than the largest repository measured has."""


class References:
    """A memory of what files refer to; the same content is read once per process, wherever it stands."""

    def __init__(self, sources: Sources, runner: Runner) -> None:
        """`runner` does the parsing."""
        self._sources = sources
        self._runner = runner
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()

    def of(self, source: SourceSpec, kind: str, entries: Sequence[TreeEntry]) -> list[Mapping[str, Any]]:
        """What each file refers to (`sandboxed.scan`). Raises RenderFailed.

        `kind` is `kustomization`, `plugin` or `chart`.
        """
        with self._lock:
            found = {entry.oid: self._known.get((kind, entry.oid)) for entry in entries}
        unknown = [entry for entry in {entry.oid: entry for entry in entries}.values() if found[entry.oid] is None]
        if unknown:
            blobs = self._sources.blobs(source, [entry.oid for entry in unknown])
            files = [{"kind": kind, "place": entry.path} for entry in unknown]
            contents = [blobs[entry.oid] for entry in unknown]
            what = unknown[0].path if len(unknown) == 1 else f"{unknown[0].path} and {len(unknown) - 1} more"
            answers, _ = self._runner.run("scan", {"files": files}, contents, what=what)
            for entry, answer in zip(unknown, answers, strict=True):
                if "error" in answer:  # not remembered: the message names this file, and the render remembers failures
                    raise (UnsafeContent if answer["error"] == "UnsafeContent" else RenderFailed)(answer["message"])
                found[entry.oid] = answer
                self._remember((kind, entry.oid), answer)
        return [found[entry.oid] or {} for entry in entries]

    def _remember(self, key: tuple[str, str], answer: Mapping[str, Any]) -> None:
        with self._lock:
            self._known[key] = answer
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
