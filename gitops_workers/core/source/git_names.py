"""What callers may name in a repository: whole object ids, and paths that stay inside."""

from __future__ import annotations

import posixpath
import re

from gitops_workers.core.errors import RenderFailed, UnsafeContent

_COMMIT = re.compile(r"[0-9a-f]{40}")


def full_id(commit: str) -> str:
    """The id as it is given. Raises RenderFailed when it is none."""
    if not _COMMIT.fullmatch(commit):
        raise RenderFailed(f"{commit[:50]!r} is no object id: 40 lower-case hexadecimal digits")
    return commit


def inside(path: str) -> str:
    """A path from the repository's root as git names it; "" is the root. Raises UnsafeContent when it leads out."""
    if any(ord(sign) < 32 for sign in path):
        raise UnsafeContent(f"path {path!r} has control characters; no file of a repository needs them")
    plain = posixpath.normpath(path or ".")
    if plain.startswith(("/", "../")) or plain == "..":
        raise UnsafeContent(f"path {path!r} leaves the repository; write it relative to the repository's root")
    return "" if plain == "." else plain
