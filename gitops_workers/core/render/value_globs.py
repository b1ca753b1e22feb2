"""In which order a glob of helm's `valueFiles` stands for files: the last one wins, so the order is part of the values.

Argo CD (3.5) expands them with the Go library doublestar, whose order is that of its walk and not that of the paths: a
folder's own files come before those of its subfolders, names are compared within one folder, and what braces stand for
is sorted as text.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.text.globs import MAXIMUM, matches_path

ALTERNATIVES = 256
"""Patterns that the braces of one pattern may stand for."""


def fixed_part(pattern: str) -> str:
    """The folder that everything a pattern can match is in.

    >>> fixed_part("envs/prod/**/*.yaml"), fixed_part("*.yaml")
    ('envs/prod', '')
    """
    parts = pattern.split("/")[:-1]
    fixed = next((number for number, part in enumerate(parts) if _has_meta(part)), len(parts))
    return "/".join(parts[:fixed])


def expand(pattern: str, paths: Iterable[str]) -> list[str]:
    """The files that the pattern matches, in order, none twice. Raises RenderFailed for a pattern that is too large."""
    if len(pattern) > MAXIMUM:
        raise RenderFailed(f"glob {pattern[:80]!r}... is longer than {MAXIMUM} characters")
    return _Walk(pattern, paths).files(pattern)


class _Walk:
    def __init__(self, pattern: str, paths: Iterable[str]) -> None:
        self._folders: dict[str, dict[str, bool]] = {"": {}}
        """Folder -> name -> whether that is a folder, too; in the order in which a system lists them: by name."""
        for path in paths:
            self._add(path)
        self._folders = {folder: dict(sorted(names.items())) for folder, names in self._folders.items()}
        # The library has two ways to walk, which differ in how far what braces stand for is sorted.
        self._sorts_all = "**" in pattern[: max(0, len(pattern) - 2)]
        self._left = ALTERNATIVES

    def files(self, pattern: str) -> list[str]:
        return [path for path in self._found(pattern, files=True) if path not in self._folders]

    def _add(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = {}
            parent, _, own = folder.rpartition("/")
            self._add_folder(parent, own)
        self._folders[folder].setdefault(name, False)

    def _add_folder(self, parent: str, name: str) -> None:
        if parent not in self._folders:
            self._folders[parent] = {}
            above, _, own = parent.rpartition("/")
            self._add_folder(above, own)
        self._folders[parent][name] = True

    def _found(self, pattern: str, *, files: bool) -> list[str]:
        if not _has_meta(pattern):
            return [pattern] if self._exists(pattern) else []
        end = max(pattern.rfind("/"), pattern.rfind("}"))
        if end >= 0 and pattern[end] == "}":
            opening = _opening(pattern, end)
            if opening >= 0:
                return self._alternatives(pattern, opening, end, files=files)
            end = pattern.rfind("/", 0, end)
        folders = self._found(pattern[:end], files=False) if end > 0 else [""]
        last = pattern[end + 1 :]
        return list(dict.fromkeys(path for folder in folders for path in self._in_folder(folder, last, files=files)))

    def _alternatives(self, pattern: str, opening: int, closing: int, *, files: bool) -> list[str]:
        split = max(pattern.rfind("/", 0, opening), pattern.rfind("}", 0, opening))
        before = split >= 0 and pattern[split] == "/"
        folders = self._found(pattern[:split], files=False) if before else [""]
        start = split + 1 if before else 0
        found: list[str] = []
        for folder in folders:
            here: set[str] = set()
            for choice in _choices(pattern[opening + 1 : closing]):
                self._left -= 1
                if self._left < 0:
                    raise RenderFailed(f"glob {pattern[:80]!r} stands for more than {ALTERNATIVES} patterns")
                rest = pattern[start:opening] + choice + pattern[closing + 1 :]
                here.update(self._found(f"{folder}/{rest}" if folder else rest, files=files))
            found += sorted(here)
        return sorted(set(found)) if self._sorts_all else list(dict.fromkeys(found))

    def _in_folder(self, folder: str, part: str, *, files: bool) -> list[str]:
        names = self._folders.get(folder)
        if names is None:
            return []
        if part == "**":
            return [folder, *self._below(folder, files=files)]
        return [
            _joined(folder, name)
            for name, is_folder in names.items()
            if (files or is_folder) and matches_path(part, name)
        ]

    def _below(self, folder: str, *, files: bool) -> list[str]:
        found: list[str] = []
        waiting = [iter(self._folders[folder].items())]
        places = [folder]
        while waiting:
            name, is_folder = next(waiting[-1], ("", False))
            if not name:
                waiting.pop()
                places.pop()
                continue
            path = _joined(places[-1], name)
            if is_folder or files:
                found.append(path)
            if is_folder:
                waiting.append(iter(self._folders[path].items()))
                places.append(path)
        return found

    def _exists(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return path in self._folders or name in self._folders.get(folder, {})


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _has_meta(text: str) -> bool:
    return any(sign in text for sign in "*?[{")


def _opening(pattern: str, closing: int) -> int:
    """Where the brace opens that closes here; -1 when none does."""
    depth = 0
    for place in range(closing, -1, -1):
        depth += {"}": 1, "{": -1}.get(pattern[place], 0)
        if depth == 0:
            return place
    return -1


def _choices(text: str) -> list[str]:
    """The alternatives between two braces, split at commas that are in no further braces."""
    found, depth = [""], 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return found
