"""The port `Closures`: which tool, which files, one digest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_workers.adapters.closure.files import Files, Node, Permits
from gitops_workers.adapters.closure.kustomize import NAMES, Graph
from gitops_workers.adapters.closure.references import References
from gitops_workers.adapters.closure.submodules import Submodules
from gitops_workers.adapters.closure.tree import LINK, SUBMODULE, Tree, Trees
from gitops_workers.core.errors import PolicyRefused, RenderFailed, UnsafeContent
from gitops_workers.core.model import GitSource, Resolved
from gitops_workers.core.objects import digest
from gitops_workers.core.render import helm_files
from gitops_workers.core.render.build_environment import build_environment
from gitops_workers.core.render.render_spec import OVERRIDES, DirectoryOptions, KustomizeMerge, RenderSpec, Tool
from gitops_workers.core.source import repo_paths
from gitops_workers.core.text.gitignore import Ignore
from gitops_workers.core.text.globs import matches_directory
from gitops_workers.ports import Closure, Sources, TreeEntry
from gitops_workers.sandboxed.frames import Runner

_MANIFESTS = (".yaml", ".yml", ".json", ".jsonnet")
_IGNORE_FILE = ".sourceignore"
_IGNORES = 64
"""Sets of ignore rules kept: they are the same at every commit of a repository until somebody edits them."""
_CHARTS = 100
"""Charts that one chart may pull in from the same repository."""

_NAMED = 20
"""Names shown in a message about a missing path."""


class GitClosures:
    """Closures over one host's mirrors; safe for many threads."""

    def __init__(self, sources: Sources, sandbox: Runner) -> None:
        """`sandbox` reads what kustomizations and charts refer to."""
        self._sources = sources
        self._trees = Trees(sources)
        self._submodules = Submodules(sources)
        self._references = References(sources, sandbox)
        self._lock = threading.Lock()
        self._incomplete: OrderedDict[str, None] = OrderedDict()
        self._ignores: OrderedDict[tuple[object, ...], Ignore] = OrderedDict()

    def closure(
        self,
        source: GitSource,
        render: RenderSpec,
        resolved: Resolved,
        app_name: str,
        permits: Permits = lambda _: True,
    ) -> Closure:
        """The inputs of this source at this commit; everything there is where the analysis cannot tell."""
        files, path, tool = self._look(source, render, resolved, app_name, permits)
        whole = False
        if tool is Tool.KUSTOMIZE:
            graph = Graph(files, self._references, source)
            graph.walk(path, render.kustomize)
            found = graph.entries
        elif tool is Tool.HELM:
            whole = helm_files.known_late(render.helm)
            found = self._charts(files, source, path)
            if not whole:
                found |= _value_files(files, source, path, render, resolved, app_name)
        else:
            found = {entry.path: entry for entry in _manifests(files, path, render.directory)}
        partial = replace(_closure(tool, path, found.values()), repositories=files.repositories)
        with self._lock:
            whole = whole or partial.digest in self._incomplete
        return _widened(files, partial) if whole else partial

    def whole(self, source: GitSource, render: RenderSpec, resolved: Resolved, missed: Closure) -> Closure:
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
        self, source: GitSource, render: RenderSpec, resolved: Resolved, app_name: str, permits: Permits
    ) -> tuple[Files, str, Tool]:
        flux = render.kustomize.merge is KustomizeMerge.FLUX
        # Flux joins an absolute path to the root of the source; Argo CD refuses it.
        path = repo_paths.join("", source.path.lstrip("/") if flux else source.path, what="spec.source.path")
        tree = self._trees.get(source, resolved.commit)
        files = self._files(source, render, tree, permits)
        if path and not files.is_folder(path):
            raise RenderFailed(_no_path(files, path, resolved))
        if not flux:
            for name in (text.replace("APPLICATION", app_name) for text in OVERRIDES):
                if files.find(f"{path}/{name}".lstrip("/")):
                    raise RenderFailed(
                        f"{path or '.'} holds {name}; such parameter overrides are not supported: move them into the "
                        "Application or into the chart's values, and delete the file"
                    )
        return files, path, render.tool or _detect(files, path)

    def _files(self, source: GitSource, render: RenderSpec, tree: Tree, permits: Permits) -> Files:
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

    def _ignore(self, source: GitSource, places: Mapping[str, TreeEntry]) -> Ignore:
        blobs = self._sources.blobs(source, [entry.oid for entry in places.values()]) if places else {}
        texts = [
            (repo_paths.folder(path), blobs[entry.oid].decode("utf-8", "replace")) for path, entry in places.items()
        ]
        return Ignore(texts, source.ignore)

    def _charts(self, files: Files, source: GitSource, path: str) -> dict[str, TreeEntry]:
        """The chart and those that it depends on by `file://`."""
        found: dict[str, TreeEntry] = {}
        waiting = [path]
        seen = {path}
        while waiting:
            chart = waiting.pop()
            found.update({node.place: files.resolve(node) for node in files.walk(chart)})
            named = [f"{chart}/{name}".lstrip("/") for name in ("Chart.yaml", "requirements.yaml")]
            if named[0] not in found:
                if chart != path:
                    continue  # a copy in charts/ may stand in for it; else the render says that it is missing
                raise RenderFailed(f"{chart or '.'} holds no Chart.yaml; choose another path or tool")
            described = [found[name] for name in named if name in found]
            answers = self._references.of(source, "chart", described)
            declared = next((item for item in reversed(answers) if item["declares"]), answers[0])
            for _, reference in declared["local"]:
                place = repo_paths.join(chart, reference, what=f"{chart or '.'}: dependencies of the chart")
                if place not in seen:
                    seen.add(place)
                    waiting.append(place)
            if len(seen) > _CHARTS:
                raise UnsafeContent(f"{path or '.'} pulls in more than {_CHARTS} charts")
        return found


def _manifests(files: Files, path: str, options: DirectoryOptions) -> Iterable[TreeEntry]:
    """The files of a directory source, as Argo CD finds them.

    By extension and globs; a link counts by its own name, and one that leads to nothing in the repository or to a
    folder is passed over, as Argo CD does with a warning (3.5, `getPotentiallyValidManifestFile`).
    """
    skip = len(path) + 1 if path else 0
    for node in files.under(path) if options.recurse else files.inside(path):
        name = node.place[skip:]
        if not name.endswith(_MANIFESTS):
            continue
        if options.exclude and matches_directory(options.exclude, name):
            continue
        if options.include and not matches_directory(options.include, name):
            continue
        if node.entry.mode == LINK and files.find(node.entry.path) is None:
            continue
        if name.endswith(".jsonnet"):
            raise RenderFailed(
                f"{node.place}: Jsonnet is not supported; commit what `jsonnet` prints, or exclude the file "
                "(spec.source.directory.exclude)"
            )
        yield files.resolve(node)


def _value_files(
    files: Files, source: GitSource, path: str, render: RenderSpec, resolved: Resolved, app_name: str
) -> dict[str, TreeEntry]:
    """The value files and file parameters that the application names."""
    environment = build_environment(
        app_name=app_name,
        commit=resolved.commit,
        path=source.path,
        url=source.url,
        target_revision=source.revision.value,
    )
    paths = _Places(files)
    wanted = [*helm_files.value_files(path, render.helm, paths, environment)]
    wanted += [place for _, place in helm_files.parameter_files(path, render.helm, paths, environment)]
    found = {}
    for place in wanted:
        if (entry := files.find(place)) is None:
            raise UnsafeContent(f"{place} is a link to nothing in this repository; correct the link or remove it")
        found[place] = entry
    return found


class _Places:
    """The files that value files may name (`helm_files.Places`)."""

    def __init__(self, files: Files) -> None:
        """`files` of the commit."""
        self._files = files

    def __contains__(self, path: object) -> bool:
        """Whether there is such a file."""
        return isinstance(path, str) and self._files.find(path) is not None

    def below(self, folder: str) -> Iterable[str]:
        """All files below a folder, also those that cannot be read: whoever wants one is told."""
        return (node.place for node in self._files.walk(folder))


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
        digest=digest(partial.tool.value, partial.path, layout),
        whole=True,
    )


def _closure(tool: Tool, path: str, entries: Iterable[TreeEntry]) -> Closure:
    ordered = tuple(sorted(entries, key=lambda entry: entry.path))
    return Closure(tool, path, ordered, digest(tool.value, path, _layout(ordered)))


def _layout(entries: Iterable[TreeEntry]) -> str:
    ordered = sorted(entries, key=lambda entry: entry.path)
    return "\n".join(f"{entry.mode} {entry.oid} {entry.path!r}" for entry in ordered)


def _detect(files: Files, path: str) -> Tool:
    def there(name: str) -> bool:
        return files.find(f"{path}/{name}" if path else name) is not None

    if there("Chart.yaml"):
        return Tool.HELM
    return Tool.KUSTOMIZE if any(map(there, NAMES)) else Tool.DIRECTORY


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
