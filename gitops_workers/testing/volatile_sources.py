"""The `Sources` port in memory: repositories as Python values, with the object ids that git would give them.

For tests and trials of everything behind the port. It answers as `adapters.git` does (one contract suite runs over
both), down to what is fetched and what is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_workers.core.errors import HostUnavailable, RenderFailed, SourceUnavailable
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.source.git_names import full_id, inside
from gitops_workers.core.source.revisions import BRANCHES, HEAD, TAGS, RevisionNotFound
from gitops_workers.ports import Listing, TreeEntry
from gitops_workers.ports.git import Refs, resolved

File = bytes | tuple[str, bytes]
"""Content, or git mode and content: of a link (`120000`) its target, of a submodule (`160000`) its commit's id."""
FILE, SUBMODULE = "100644", "160000"
_AUTHOR = b"volatile <volatile@example.com>"


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit: its files by path, the trees and files it has by id, its parents, its time (epoch s)."""

    files: Mapping[str, tuple[str, str]]
    objects: Mapping[str, str]
    """Path of every folder and file -> object id; "" is the root."""
    parents: tuple[str, ...]
    at: int


@dataclass(slots=True)
class VolatileRepository:
    """A server's repository. Change it with `commit`, `tag`, and by editing `refs` and `down`."""

    head: str = BRANCHES + "main"
    refs: dict[str, str] = field(default_factory=dict)
    down: str = ""
    """Not empty: the server does not answer, and this is why."""
    requests: int = 0
    """How often the server was asked for refs or commits."""
    commits: dict[str, _Commit] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tag_times: dict[str, int] = field(default_factory=dict)

    def commit(self, files: Mapping[str, File], *, branch: str = "main", at: int = 0) -> str:
        """Add a commit with exactly these files on the branch; returns its id."""
        listed = {}
        for path, content in files.items():
            mode, data = content if isinstance(content, tuple) else (FILE, content)
            oid = data.decode() if mode == SUBMODULE else _object_id(b"blob", data)
            if mode != SUBMODULE:
                self.blobs[oid] = data
            listed[path] = (mode, oid)
        objects: dict[str, str] = {}
        tree = _write_tree("", listed, objects)
        parent = self.refs.get(BRANCHES + branch)
        parents = (parent,) if parent else ()
        lines = [f"tree {tree}".encode(), *(f"parent {oid}".encode() for oid in parents)]
        lines += [b"%s %s %d +0000" % (role, _AUTHOR, at) for role in (b"author", b"committer")]
        oid = _object_id(b"commit", b"\n".join([*lines, b"", b"change\n"]))
        self.commits[oid] = _Commit(listed, objects, parents, at)
        self.refs[BRANCHES + branch] = oid
        return oid

    def tag(self, name: str, commit: str, *, at: int | None = None) -> None:
        """Set a tag; with a time it is annotated and dated so, else it is as old as its commit."""
        self.refs[TAGS + name] = commit
        self.tag_times[name] = self.commits[commit].at if at is None else at

    def remove_tag(self, name: str) -> None:
        """Remove a tag; its commit stays."""
        del self.refs[TAGS + name], self.tag_times[name]

    def reachable(self, start: str) -> set[str]:
        """The commit and all before it."""
        seen: set[str] = set()
        queue = [start]
        while queue:
            oid = queue.pop()
            if oid not in seen and oid in self.commits:
                seen.add(oid)
                queue += self.commits[oid].parents
        return seen


class VolatileSources:
    """Reads `VolatileRepository` values by URL."""

    def __init__(self, clock: Callable[[], float], *, max_blob_bytes: int = 10 << 20) -> None:
        """`clock` gives epoch seconds."""
        self.repositories: dict[str, VolatileRepository] = {}
        self._clock = clock
        self._max_blob_bytes = max_blob_bytes
        self._listed: dict[str, Refs] = {}
        self._fetched: dict[str, set[str]] = {}
        self._modules: dict[str, dict[str, VolatileRepository]] = {}
        """By URL: the repositories of the submodules that were read through it, by theirs."""

    def bounded(self) -> VolatileSources:
        """A source in memory waits for no host."""
        return self

    def close(self) -> None:
        """Nothing is held open."""

    def poll(self, source: SourceSpec, *, not_before: float) -> Refs:
        """See `Sources.poll`."""
        return self.refs(source, not_before=not_before)

    def resolve(self, source: SourceSpec, listing: Listing | None = None) -> Resolved:
        """See `Sources.resolve`."""
        return resolved(self, source, listing)

    def refs(self, source: SourceSpec, *, not_before: float) -> Refs:
        """See `Repositories.refs`."""
        last = self._listed.get(source.url)
        if last is not None and last.listed_at >= not_before:
            return last
        at = self._clock()
        repository = self._ask(source)
        refs = dict(sorted(repository.refs.items()))
        if repository.head in refs:
            refs = {HEAD: refs[repository.head], **refs}
        self._listed[source.url] = Refs(refs, repository.head if HEAD in refs else "", at)
        return self._listed[source.url]

    def fetch(self, source: SourceSpec, commit: str) -> None:
        """See `Sources.fetch`."""
        full_id(commit)
        if commit in self._fetched.get(source.url, ()):
            return
        if commit not in self._ask(source).commits:
            raise RevisionNotFound(f"{source.url} has no commit {commit}; choose another revision")
        self._fetched.setdefault(source.url, set()).add(commit)

    def submodule(self, source: SourceSpec, url: str, commit: str) -> Sequence[TreeEntry]:
        """See `Repositories.submodule`."""
        other = self._ask(SourceSpec(url))
        if full_id(commit) not in other.commits:
            raise RenderFailed(f"{url} has no commit {commit}; push it there")
        self._modules.setdefault(source.url, {})[url] = other
        return _listing(other.commits[commit], "")

    def submodule_urls(self, source: SourceSpec, oid: str) -> Mapping[str, str]:
        """See `Repositories.submodule_urls`: of files as `git submodule add` writes them."""
        text = self.blobs(source, [oid])[oid].decode()
        entries = re.findall(r"^\[submodule .*\]\n((?:\s+\w+ = .*\n?)*)", text, re.MULTILINE)
        fields = [dict(re.findall(r"^\s+(\w+) = (.*)$", entry, re.MULTILINE)) for entry in entries]
        return {entry["path"]: entry["url"] for entry in fields}

    def tree(self, source: SourceSpec, commit: str, path: str = "") -> Sequence[TreeEntry]:
        """See `Sources.tree`."""
        return _listing(self._commit(source, commit), inside(path))

    def tree_id(self, source: SourceSpec, commit: str, path: str) -> str:
        """See `Repositories.tree_id`."""
        return self._commit(source, commit).objects.get(inside(path), "")

    def changed_paths(self, source: SourceSpec, old: str, new: str) -> frozenset[str] | None:
        """See `Sources.changed_paths`."""
        full_id(old)
        if old not in self._fetched.get(source.url, ()):
            return None
        before, after = self._commit(source, old).files, self._commit(source, new).files
        return frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))

    def blobs(self, source: SourceSpec, oids: Iterable[str]) -> Mapping[str, bytes]:
        """See `Sources.blobs`."""
        repositories = [self.repositories[source.url], *self._modules.get(source.url, {}).values()]
        found = {}
        for oid in oids:
            data = next((known.blobs[oid] for known in repositories if full_id(oid) in known.blobs), None)
            if data is None:
                raise SourceUnavailable(f"{source.url} has no object {oid} on this host; fetch its commit first")
            if len(data) > self._max_blob_bytes:
                raise RenderFailed(f"object {oid} in {source.url} has {len(data)} bytes; make the file smaller")
            found[oid] = data
        return found

    def tag_times(self, source: SourceSpec, tags: Iterable[str]) -> Mapping[str, int]:
        """See `Repositories.tag_times`."""
        times = self._ask(source).tag_times
        names = {tag.removeprefix(TAGS) for tag in tags}
        return {name: times[name] for name in names if name in times}

    def resolve_short(self, source: SourceSpec, prefix: str) -> str | None:
        """See `Repositories.resolve_short`."""
        repository = self._ask(source)
        if not re.fullmatch(r"[0-9a-f]{7,39}", prefix):
            return None
        known = set().union(*(repository.reachable(oid) for oid in repository.refs.values()))
        matching = [oid for oid in known if oid.startswith(prefix)]
        return matching[0] if len(matching) == 1 else None

    def on_branch(self, source: SourceSpec, commit: str, branch: str) -> bool:
        """See `Repositories.on_branch`."""
        full_id(commit)
        repository = self._ask(source)
        tip = repository.refs.get(BRANCHES + branch.removeprefix(BRANCHES))
        return tip is not None and commit in repository.reachable(tip)

    def _ask(self, source: SourceSpec) -> VolatileRepository:
        repository = self.repositories.get(source.url)
        if repository is None:
            raise SourceUnavailable(f"{source.url}: repository not found; correct the URL, or give a credential")
        repository.requests += 1
        if repository.down:
            raise HostUnavailable(f"{source.url}: {repository.down}")
        return repository

    def _commit(self, source: SourceSpec, commit: str) -> _Commit:
        self.fetch(source, commit)
        return self.repositories[source.url].commits[commit]


def _listing(found: _Commit, folder: str) -> tuple[TreeEntry, ...]:
    prefix = f"{folder}/" if folder else ""
    return tuple(
        TreeEntry(name, mode, oid)
        for name, (mode, oid) in sorted(found.files.items(), key=lambda item: item[0].encode())
        if name.startswith(prefix)
    )


def _object_id(kind: bytes, data: bytes) -> str:
    return hashlib.sha1(b"%s %d\0" % (kind, len(data)) + data, usedforsecurity=False).hexdigest()


def _write_tree(folder: str, files: Mapping[str, tuple[str, str]], objects: dict[str, str]) -> str:
    """Name the folder and everything below as git does; `objects` gets every path's id."""
    prefix = f"{folder}/" if folder else ""
    below: dict[str, dict[str, tuple[str, str]]] = {}
    entries: list[tuple[bytes, bytes]] = []
    for path, (mode, oid) in files.items():
        name, slash, _ = path.removeprefix(prefix).partition("/")
        if slash:
            below.setdefault(name, {})[path] = (mode, oid)
        else:
            objects[path] = oid
            entries.append((name.encode(), _entry(mode, name, oid)))
    for name, inner in below.items():
        oid = _write_tree(prefix + name, inner, objects)
        entries.append((name.encode() + b"/", _entry("40000", name, oid)))
    objects[folder] = _object_id(b"tree", b"".join(entry for _, entry in sorted(entries)))
    return objects[folder]


def _entry(mode: str, name: str, oid: str) -> bytes:
    return f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid)
