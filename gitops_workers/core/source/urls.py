"""Repository addresses: one spelling for the many ways to write the same repository.

A webhook names a repository as its server sees it (`https://github.com/Org/App`), an application as its author typed it
(`git@github.com:org/app.git`). Both become the same key here. The key is for lookups and for people; nothing is ever
fetched from it.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*)://([^/?#]*)([^?#]*)", re.IGNORECASE)
_SCP = re.compile(r"^(?:[^@/\s]+@)?(\[[^\]/\s]+\]|[^:@/\s\[\]]+):(?!/{2})(.*)$", re.DOTALL)
_ALIAS = re.compile(r"^(?:alt)?ssh\.(?=[^.]+\.)")
"""GitHub, GitLab and Bitbucket answer SSH on port 443 under `ssh.` and `altssh.` of their own name."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def normalise_url(url: str) -> str:
    """Name the repository of a Git URL: `host/path`, lower-case, without scheme, user, port, query and `.git`.

    http, https, ssh, git and scp-like forms of one repository give one name; a local path (`file://` or plain) keeps
    its case and gives `file:/path`. Text without any host or path gives "". Two repositories on different ports of one
    host share a name: whoever asks polls one repository too many, never one too few.

    >>> normalise_url("ssh://git@github.com:22/Org/App.git") == normalise_url("git@github.com:org/app")
    True
    >>> normalise_url("https://user:secret@Git.Example.com:8443/team/app/")
    'git.example.com/team/app'
    """
    text = _CONTROL.sub("", url).strip()
    if match := _SCHEME.match(text):
        scheme, authority, path = match[1].lower(), match[2], match[3]
        return _local(path) if scheme == "file" else _remote(_host(authority), path)
    if text.startswith(("/", ".")):
        return _local(text)
    if match := _SCP.match(text):
        return _remote(match[1], match[2])
    return _local(text) if text else ""


def without_credentials(url: str) -> str:
    """The URL as it may be shown: user and password, query and fragment are gone; an scp form stays as it is.

    >>> without_credentials("https://oauth2:token@git.example.com/team/app.git?private_token=x")
    'https://git.example.com/team/app.git'
    """
    text = _CONTROL.sub("", url).strip()
    if match := _SCHEME.match(text):
        user, at, host = match[2].rpartition("@")
        # The login name of SSH is no secret and the URL does not work without it; a password beside it is one.
        kept = user.partition(":")[0] + at if match[1].lower() == "ssh" else ""
        return f"{match[1]}://{kept}{host}{match[3]}"
    return text.partition("?")[0].partition("#")[0]


def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _remote(host: str, path: str) -> str:
    name = _ALIAS.sub("", host.lower().rstrip("."))
    place = _trimmed(unquote(path, errors="replace")).lower()
    if name == "dev.azure.com":
        # Azure DevOps writes `v3/org/project/repo` over SSH and `org/project/_git/repo` over HTTPS.
        place = place.removeprefix("v3/").replace("/_git/", "/")
    return f"{name}/{place}" if name and place else ""


def _local(path: str) -> str:
    place = _trimmed(unquote(path, errors="replace"))
    return f"file:/{place}" if place else ""


def _trimmed(path: str) -> str:
    parts = [part for part in _CONTROL.sub("", path).split("/") if part not in ("", ".")]
    return "/".join(parts).removesuffix(".git")
