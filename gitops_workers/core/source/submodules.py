"""Where a submodule comes from: URLs of `.gitmodules`, which may be relative to the repository that holds the file."""

from __future__ import annotations

import re

from gitops_workers.core.errors import UnsafeContent

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^/]*)(/.*)?", re.DOTALL)
_SCP = re.compile(r"([^/:]+:)(.*)", re.DOTALL)


def absolute_url(parent: str, url: str) -> str:
    """Return the URL of a submodule, seen from its parent's URL (`gitmodules`, submodule.<name>.url).

    Only `./` and `../` at the beginning make a URL relative, and each `..` takes one part of the parent's path away.
    Raises UnsafeContent when the parent's path has not so many.

    >>> absolute_url("https://git.example.com/team/app.git", "../shared.git")
    'https://git.example.com/team/shared.git'
    >>> absolute_url("git@git.example.com:team/app", "../../infra/base")
    'git@git.example.com:infra/base'
    """
    if not url.startswith(("./", "../")):
        return url
    match = _SCHEME.fullmatch(parent) or _SCP.fullmatch(parent)
    place, path = (match[1], match[2] or "") if match else ("", parent)
    lead = "/" if path.startswith("/") else ""
    parts = [part for part in path.split("/") if part]
    rest = url
    while rest.startswith(("./", "../")):
        step, _, rest = rest.partition("/")
        rest = rest.lstrip("/")
        if step == "..":
            if not parts:
                raise UnsafeContent(f"the submodule URL {url[:200]!r} leaves the server's root; correct .gitmodules")
            parts.pop()
    return place + lead + "/".join([*parts, *([rest.rstrip("/")] if rest else [])])
