"""The port `Closures`: which tool, which files, one digest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_workers.adapters.rendering.closure.files import Files, Node, Permits
from gitops_workers.adapters.rendering.closure.references import References
from gitops_workers.adapters.rendering.closure.submodules import Submodules
from gitops_workers.adapters.rendering.closure.tree import LINK, SUBMODULE, Tree, Trees
from gitops_workers.adapters.rendering.renderers import BY_TOOL, detect
from gitops_workers.adapters.rendering.renderers.port import Place, Renderer
from gitops_workers.core.errors import PolicyRefused, RenderFailed
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.objects import digest
from gitops_workers.core.render.render_spec import OVERRIDES, KustomizeMerge, RenderSpec
from gitops_workers.core.source import repo_paths
from gitops_workers.core.text.gitignore import Ignore
from gitops_workers.ports import Closure, Sources, TreeEntry
from gitops_workers.ports.git import SubmoduleReader
from gitops_workers.sandbox_protocol.frames import Runner

_IGNORE_FILE = ".sourceignore"
_IGNORES = 64
"""Sets of ignore rules kept: they are the same at every commit of a repository until somebody edits them."""
_NAMED = 20
"""Names shown in a message about a missing path."""


class TreeClosures:
    """Closures over one host's mirrors; safe for many threads."""

    def __init__(self, sources: Sources, sandbox: Runner, modules: SubmoduleReader) -> None:
        """`sandbox` reads what kustomizations and charts refer to, `modules` the submodules of Git sources."""
        self._sources = sources
        self._trees = Trees(sources)
        self._submodules = Submodules(modules)
        self._references = References(sources, sandbox)
        self._lock = threading.Lock()
        self._incomplete: OrderedDict[str, None] = OrderedDict()
        self._ignores: OrderedDict[tuple[object, ...], Ignore] = OrderedDict()

    def closure(
        self,
        source: SourceSpec,
        render: RenderSpec,
        resolved: Resolved,
        app_name: str,
        permits: Permits = lambda _: True,
    ) -> Closure:
        """The inputs of this source at this commit; everything there is where the analysis cannot tell."""
        place, renderer = self._look(source, render, resolved, app_name, permits)
        inputs = renderer.inputs(place)
        files = place.files
        partial = replace(_closure(renderer.tool, place.path, inputs.entries), repositories=files.repositories)
        with self._lock:
            whole = inputs.whole or partial.digest in self._incomplete
        return _widened(files, partial) if whole else partial

    def whole(self, source: SourceSpec, render: RenderSpec, resolved: Resolved, missed: Closure) -> Closure:
        """The whole commit as input, because the tool wanted a file that `missed` does not hold.

        From now on `closure` returns the whole commit wherever it would have returned `missed`.
        """
        with self._lock:
            self._incomplete[missed.digest] = None
            while len(self._incomplete) > 10_000:
                self._incomplete.popitem(last=False)
        tree = self._trees.get(source, resolved.commit)
        # What the project allows was asked for `missed`; a submodule that it did not read needs the answer again.
        known = frozenset(missed.repositories)
        return _widened(self._files(source, render, tree, known.__contains__), missed)

    def _look(
        self, source: SourceSpec, render: RenderSpec, resolved: Resolved, app_name: str, permits: Permits
    ) -> tuple[Place, Renderer]:
        flux = render.kustomize.merge is KustomizeMerge.FLUX
        # Flux joins an absolute path to the root of the source; Argo CD refuses it.
        path = repo_paths.join("", source.path.lstrip("/") if flux else source.path, what="spec.source.path")
        tree = self._trees.get(source, resolved.commit)
        files = self._files(source, render, tree, permits)
        if path and not files.is_folder(path):
            raise RenderFailed(_no_path(files, path, resolved))
        if not flux:
            for name in (text.replace("APPLICATION", app_name) for text in OVERRIDES):
                if _holds(files, path, name):
                    raise RenderFailed(
                        f"{path or '.'} holds {name}; such parameter overrides are not supported: move them into the "
                        "Application or into the chart's values, and delete the file"
                    )
        renderer = BY_TOOL[render.tool] if render.tool else detect(lambda name: _holds(files, path, name))
        return Place(files, self._references, source, path, render, resolved, app_name), renderer

    def _files(self, source: SourceSpec, render: RenderSpec, tree: Tree, permits: Permits) -> Files:
        if source.ignore is None and render.kustomize.merge is not KustomizeMerge.FLUX:
            return Files(tree, self._sources, self._submodules, source, None, permits)
        places = {path: tree.files[path] for path in tree.named(_IGNORE_FILE) if tree.files[path].mode != LINK}
        key = (source.url, source.ignore, *((path, entry.oid) for path, entry in places.items()))
        with self._lock:
            known = self._ignores.get(key)
        if known is None:
            known = self._ignore(source, places)
            with self._lock:
                self._ignores[key] = known
                while len(self._ignores) > _IGNORES:
                    self._ignores.popitem(last=False)
        return Files(tree, self._sources, self._submodules, source, known, permits)

    def _ignore(self, source: SourceSpec, places: Mapping[str, TreeEntry]) -> Ignore:
        blobs = self._sources.blobs(source, [entry.oid for entry in places.values()]) if places else {}
        texts = [
            (repo_paths.folder(path), blobs[entry.oid].decode("utf-8", "replace")) for path, entry in places.items()
        ]
        return Ignore(texts, source.ignore)


def _widened(files: Files, partial: Closure) -> Closure:
    """The closure with everything else of the commit beside it: the tool may read that, too.

    What cannot be read there is left out with its name, for whoever comes to need it.
    """
    known = {entry.path for entry in partial.entries}
    others: list[TreeEntry] = []
    unreadable: list[tuple[str, str]] = []
    waiting = [Node(entry.path, entry) for entry in files.tree.under("") if not files.hidden(entry.path)]
    while waiting:
        node = waiting.pop()
        if node.place in known:
            continue
        try:
            if node.entry.mode in (LINK, SUBMODULE) and files.is_folder(node.entry.path):
                waiting += files.walk(node.place)
            else:
                others.append(files.resolve(node))
        except (RenderFailed, PolicyRefused) as error:
            unreadable.append((node.place, str(error)))
    layout = _layout([*partial.entries, *others]) + "".join(f"\n? {path!r}" for path, _ in sorted(unreadable))
    return replace(
        partial,
        others=tuple(others),
        unreadable=tuple(unreadable),
        repositories=tuple(dict.fromkeys((*partial.repositories, *files.repositories))),
        digest=digest(partial.tool, partial.path, layout),
        whole=True,
    )


def _closure(tool: str, path: str, entries: Iterable[TreeEntry]) -> Closure:
    ordered = tuple(sorted(entries, key=lambda entry: entry.path))
    return Closure(tool, path, ordered, digest(tool, path, _layout(ordered)))


def _layout(entries: Iterable[TreeEntry]) -> str:
    ordered = sorted(entries, key=lambda entry: entry.path)
    return "\n".join(f"{entry.mode} {entry.oid} {entry.path!r}" for entry in ordered)


def _holds(files: Files, path: str, name: str) -> bool:
    return files.find(f"{path}/{name}".lstrip("/")) is not None


def _no_path(files: Files, path: str, resolved: Resolved) -> str:
    where = f"{resolved.ref} ({resolved.commit[:7]})" if resolved.ref else resolved.commit[:7]
    if files.find(path) is not None:
        return f'path "{path}" is a file at {where}; name the folder it is in'
    parent = repo_paths.folder(path)
    while parent and not files.is_folder(parent):
        parent = repo_paths.folder(parent)
    names = list(dict.fromkeys(node.place[len(parent) :].lstrip("/").partition("/")[0] for node in files.under(parent)))
    shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
    return f'path "{path}" does not exist at {where}: {parent or "the root"} holds {shown or "nothing"}'
