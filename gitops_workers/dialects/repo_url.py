"""Repository URLs and paths inside repositories, checked when a manifest is read (T01, T14).

The adapters check again what they really open; here a mistake gets its line in the manifest.
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urlsplit

from gitops_workers.dialects.field_rules import is_plain

_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9.-]{2,}:(?!:|[/\\]{2}).+")
SCHEMES = ("https", "http", "ssh", "file")
"""What GITOPS_GIT_SCHEMES can allow; which of them it does allow is asked at the fetch."""


def url_problem(url: str, *, scp: bool) -> str:
    """What is wrong with a Git URL, as a sentence; "" when nothing is. `scp`: `git@host:path` is allowed."""
    allowed = "https://HOST/PATH or ssh://USER@HOST/PATH" + (" or USER@HOST:PATH" if scp else "")
    if not url:
        return "the field is missing: set it."
    if not is_plain(url) or any(char.isspace() for char in url):
        return "the URL holds spaces or control characters, or starts with '-': remove them."
    if "://" not in url:
        if scp and _SCP.fullmatch(url):
            return ""
        return f"this is no URL of a Git repository, allowed is {allowed}."
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return f"this is no URL, allowed is {allowed}."
    if parts.scheme not in SCHEMES:
        return f"found the scheme {parts.scheme[:20]!r}, allowed is {allowed}."
    if parts.scheme == "file":
        return "" if parts.path.strip("/") and not parts.netloc else "allowed is file:///PATH."
    if not parts.hostname or parts.hostname.startswith("-") or not parts.path.strip("/"):
        return f"the URL lacks a host or a path, allowed is {allowed}."
    return ""


def normal_path(path: str) -> str | None:
    """A path in a repository without `.` and `..`, "." for the root; None when it leaves the repository.

    >>> normal_path("./k8s//prod/"), normal_path(""), normal_path("a/../../b")
    ('k8s/prod', '.', None)
    """
    if any(ord(char) < 32 for char in path) or path.startswith("/") or "\\" in path:
        return None
    normal = posixpath.normpath(path or ".")
    return None if normal == ".." or normal.startswith("../") else normal


PATH_ALLOWED = "a folder inside the repository, relative to its root"
