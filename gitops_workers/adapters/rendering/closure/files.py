"""The files of a commit as a checkout would show them: links followed inside the repository, submodules in their place.

Nothing is checked out: a link's target is found in the Git trees, so that no link ever reaches a file system (T02).
What cannot be read is an error of whoever asks for it, never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gitops_workers.adapters.rendering.closure.submodules import Submodules
from gitops_workers.adapters.rendering.closure.tree import LINK, SUBMODULE, Tree, prefixed
from gitops_workers.core.errors import PolicyRefused, RenderFailed, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.source import repo_paths
from gitops_workers.core.source.submodules import absolute_url
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.text.gitignore import Ignore
from gitops_workers.ports import Sources, TreeEntry

LINKS = 40
"""Links on the way to one file: the kernel's own limit."""
SUBMODULES = 32
"""Submodules that one application reads."""
DEPTH = 8
"""Submodules in each other."""
EXPANDED = 20_000
"""Files behind links to folders; links to each other's parents could else stand for any number of them."""

Permits = Callable[[str], bool]
"""Whether the application's project allows a repository URL."""


@dataclass(frozen=True, slots=True)
class Node:
    """A file, link or submodule: where it is seen, and its entry where it really stands."""

    place: str
    entry: TreeEntry


@dataclass(slots=True)
class _Module:
    """A submodule that has been read: its files by paths from the parent's root, its own URL, how deep it is."""

    tree: Tree
    url: str
    depth: int


@dataclass(slots=True)
class Files:
    """One source's view of a commit; one use, one thread."""

    tree: Tree
    sources: Sources
    submodules: Submodules
    source: SourceSpec
    ignore: Ignore | None = None
    permits: Permits = lambda _: True
    _modules: dict[str, _Module] = field(default_factory=dict)

    @property
    def repositories(self) -> tuple[str, ...]:
        """The URLs of the submodules that were read."""
        return tuple(module.url for module in self._modules.values())

    def hidden(self, path: str) -> bool:
        """Whether the source leaves this path out (`.sourceignore`)."""
        return self.ignore is not None and self.ignore.hides(path)

    def real(self, path: str) -> str | None:
        """Where a file or folder really stands, or None when there is none. Raises UnsafeContent, RenderFailed."""
        if self.tree.is_folder(path):  # nearly always: nothing on the way is a link or a submodule
            return path
        asked = path
        for _ in range(LINKS):
            tree, blocker = self._reach(path)
            if blocker is None:
                return path if path in tree.files or tree.is_folder(path) else None
            if blocker.mode != LINK:
                return path if blocker.path == path else None  # nothing is below a file
            path = self._target(asked, blocker) + path[len(blocker.path) :]
            path = path.strip("/")
        raise UnsafeContent(f"{asked} is a link to a link to a link; make it a file or folder")

    def is_folder(self, path: str) -> bool:
        """Whether a folder is seen here."""
        if (entry := self.tree.files.get(path)) is not None and entry.mode not in (LINK, SUBMODULE):
            return False
        real = self.real(path)
        return real is not None and self._reach(real)[0].is_folder(real)

    def find(self, path: str) -> TreeEntry | None:
        """The file that is seen here, under this path; None when there is none."""
        if self.hidden(path):
            return None
        plain = self.tree.files.get(path)
        if plain is not None and plain.mode not in (LINK, SUBMODULE):
            return plain
        real = self.real(path)
        entry = self._reach(real)[0].files.get(real) if real is not None else None
        if entry is None or entry.mode == SUBMODULE or self.hidden(entry.path):
            return None
        return TreeEntry(path, entry.mode, entry.oid)

    def resolve(self, node: Node) -> TreeEntry:
        """The file at a node. Raises UnsafeContent when a link leads to none, RenderFailed."""
        if node.entry.mode not in (LINK, SUBMODULE):
            return TreeEntry(node.place, node.entry.mode, node.entry.oid)
        found = self.find(node.entry.path)
        if found is None:
            what = "a folder" if self.is_folder(node.entry.path) else "nothing in this repository"
            raise UnsafeContent(f"{node.place} is a link to {what}; a link must lead to a file in here")
        return TreeEntry(node.place, found.mode, found.oid)

    def under(self, path: str) -> Iterator[Node]:
        """Everything below a folder, submodules entered, links as they are."""
        real = self.real(path)
        for entry in self._entries(real) if real is not None else ():
            place = f"{path}/{entry.path[len(real) + 1 if real else 0 :]}".lstrip("/") if real != path else entry.path
            if not self.hidden(place):
                yield Node(place, entry)

    def inside(self, path: str) -> Iterator[Node]:
        """The files and links in a folder itself, not those further down."""
        skip = len(path) + 1 if path else 0
        real = self.real(path)
        for entry in self._reach(real)[0].under(real) if real is not None else ():
            place = f"{path}/{entry.path[len(real) + 1 if real else 0 :]}".lstrip("/")
            if entry.mode != SUBMODULE and "/" not in place[skip:] and not self.hidden(place):
                yield Node(place, entry)

    def walk(self, path: str) -> Iterator[Node]:
        """Everything below a folder as helm reads it: links to folders are followed, too."""
        return self._walk(path, (), [EXPANDED])

    def _walk(self, path: str, above: tuple[str, ...], left: list[int]) -> Iterator[Node]:
        """`above`: the real folders on the way here. `left`: files that links to folders may still stand for."""
        real = self.real(path)
        if real is None:
            return
        if any(repo_paths.inside(folder, real) for folder in above):
            raise UnsafeContent(f"{path} is a link to a folder that it stands in; remove it")
        for node in self.under(path):
            left[0] -= bool(above)
            if left[0] < 0:
                raise UnsafeContent(f"{path}: links to folders stand for more than {EXPANDED:,} files; use folders")
            if node.entry.mode == LINK and self.is_folder(node.entry.path):
                yield from self._walk(node.place, (*above, real), left)
            else:
                yield node

    def _entries(self, folder: str) -> Iterator[TreeEntry]:
        for entry in self._reach(folder)[0].under(folder):
            if entry.mode == SUBMODULE and not self.hidden(entry.path):
                yield from self._entries(entry.path)
            else:
                yield entry

    def _reach(self, path: str) -> tuple[Tree, TreeEntry | None]:
        """The tree that knows about a path, and the file or link that stands at it or in the way."""
        tree = self.tree
        while True:
            blocker = _first_entry(tree, path)
            if blocker is None or blocker.mode != SUBMODULE:
                return tree, blocker
            tree = self._entered(blocker).tree

    def _target(self, asked: str, link: TreeEntry) -> str:
        text = self.sources.blobs(self.source, [link.oid])[link.oid].decode("utf-8", "replace")
        what = (
            f"{asked} is a link, and its target" if asked == link.path else f"{asked} goes through the link {link.path}"
        )
        return repo_paths.join(repo_paths.folder(link.path), text, what=what)

    def _entered(self, entry: TreeEntry) -> _Module:
        """The submodule at this entry, fetched."""
        known = self._modules.get(entry.path)
        if known is not None:
            return known
        if not self.source.submodules:
            raise RenderFailed(
                f"{entry.path} is a submodule, and the GitRepository does not fetch them: set recurseSubmodules: true, "
                "or keep it out of what is read"
            )
        mount, parent = self._parent(entry.path)
        if parent.depth >= DEPTH or len(self._modules) >= SUBMODULES:
            raise UnsafeContent(
                f"{entry.path} is a submodule too many: {SUBMODULES} of one application, {DEPTH} in each other"
            )
        urls = parent.tree.files.get(f"{mount}/.gitmodules".lstrip("/"))
        named = self.submodules.urls(self.source, urls.oid) if urls and urls.mode not in (LINK, SUBMODULE) else {}
        written = named.get(entry.path[len(mount) :].lstrip("/"))
        if written is None:
            raise RenderFailed(f"{entry.path} is a submodule that .gitmodules has no URL for; add it, or remove it")
        url = absolute_url(parent.url, written)
        if not self.permits(url):
            raise PolicyRefused(
                f"{entry.path} is a submodule of {without_credentials(url)}, which the project does not allow: "
                "list it in sourceRepos"
            )
        listed = self.submodules.files(self.source, url, entry.oid, entry.path)
        self._modules[entry.path] = _Module(prefixed(entry.path, listed), url, parent.depth + 1)
        return self._modules[entry.path]

    def _parent(self, path: str) -> tuple[str, _Module]:
        folder = repo_paths.folder(path)
        while folder:
            if folder in self._modules:
                return folder, self._modules[folder]
            folder = repo_paths.folder(folder)
        return "", _Module(self.tree, self.source.url, 0)


def _first_entry(tree: Tree, path: str) -> TreeEntry | None:
    """The entry at the path, or at the uppermost of the folders it names."""
    if path in tree.files:
        return tree.files[path]
    if tree.is_folder(path):
        return None
    end = path.find("/")
    while end > 0:
        if (entry := tree.files.get(path[:end])) is not None:
            return entry
        end = path.find("/", end + 1)
    return None
