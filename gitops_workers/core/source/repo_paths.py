"""Paths inside a repository: the one place that joins a path with text from a manifest or a kustomization.

A path here is relative to the repository's root, uses `/`, has no `.` and no `..`; the root itself is "".
"""

from __future__ import annotations

import re

from gitops_workers.core.errors import UnsafeContent

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_REMOTE_HOST = re.compile(
    r"(?:git::|git@|gh:|(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|dev\.azure\.com)[/:])", re.IGNORECASE
)
_SCP = re.compile(r"[^/]+@[^/]+:.")
MAXIMUM = 4096
"""Bytes of one path: the kernel's PATH_MAX."""


def is_remote(text: str) -> bool:
    """Whether kustomize or helm would fetch this over a network.

    >>> is_remote("https://x/y"), is_remote("github.com/o/r?ref=v1"), is_remote("../base")
    (True, True, False)
    """
    return bool(_SCHEME.match(text) or _REMOTE_HOST.match(text) or _SCP.match(text) or "?ref=" in text)


def join(base: str, text: str, *, what: str) -> str:
    """Return `text` seen from the folder `base`. Raises UnsafeContent when it is absolute or leaves the repository.

    >>> join("apps/web", "../base/./x.yaml", what="resource")
    'apps/base/x.yaml'
    """
    if text.startswith("/"):
        raise UnsafeContent(f"{what} {shown(text)} is an absolute path; write it relative, inside the repository")
    if is_remote(text):
        raise UnsafeContent(
            f"{what} {shown(text)} is a URL; nothing is fetched while rendering: put a copy into the repository"
        )
    if "\0" in text or "\\" in text or len(text) > MAXIMUM:
        raise UnsafeContent(f"{what} {shown(text)} is no usable path")
    parts = base.split("/") if base else []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                raise UnsafeContent(f"{what} {shown(text)} leaves the repository; keep it inside")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def check(path: str) -> str:
    """Return a path that came out of a git tree, or raise UnsafeContent when no file system should see it."""
    if not path or path.startswith("/") or "\0" in path or len(path) > MAXIMUM:
        raise UnsafeContent(f"the tree holds {shown(path)}, which is no usable path")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise UnsafeContent(f"the tree holds {shown(path)}, which leaves its folder")
    return path


def folder(path: str) -> str:
    """Return the folder a file stands in, "" for the root."""
    return path.rpartition("/")[0]


def inside(path: str, root: str) -> bool:
    """Whether a path is `root` itself or below it: by parts, so that `a-b/x` is not inside `a`."""
    return not root or path == root or path.startswith(root + "/")


def shown(text: str) -> str:
    """Text from outside, safe and short enough for a message."""
    return repr(text[:200])
