"""Which repositories the `sourceRepos` of a project admit.

The form that is compared is Argo CD's (3.5, `NormalizeGitURL`): lower case, without `.git`, scp and ssh alike, scheme
and port part of it. Both sides are brought to it. Where a rule denies, every spelling that reaches the same repository
is compared, since what the fetch takes for one repository must not be two for the rule: other login names, the default
port written out, escapes, other ways to write an address. `core.source.urls.normalise_url` is for look-ups and must not
be used here: it takes repositories of different schemes and ports for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from gitops_workers.core.text.globs import alternatives, matches_separated
from gitops_workers.core.text.hosts import canonical_host

EVERYTHING = "*"
_DENY = "!"
_LOGIN = "git"
"""The fetch's login name for an ssh URL that gives none."""
_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
_URL = re.compile(r"([^:/@]+)://([^/]*)(.*)", re.DOTALL)
_SCP = re.compile(r"([^/:]+)@(\[[0-9a-f:.]+\]|[^/:@]+):(.*)", re.DOTALL | re.IGNORECASE)
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[^:]*)(?::(.*))?", re.DOTALL | re.IGNORECASE)
_NAMES = re.compile(r"\[[0-9a-f.]*:[0-9a-f:.]+\]|[a-z0-9._-]*", re.IGNORECASE)
_ALIAS = re.compile(r"(?:alt)?ssh\.(?=[^.]+\.)")
"""GitHub, GitLab and Bitbucket answer SSH on port 443 under `ssh.` and `altssh.` of their own name."""
_ALIAS_PORT = "443"
_ESCAPE = re.compile(r"%[0-9a-f]{2}", re.IGNORECASE)
_SPECIAL = frozenset("*?[]{}\\,!")


def allows(rules: Iterable[str], url: str) -> bool:
    """Whether the rules admit the URL: one admits it, and none that begins with `!` fits it."""
    found = tuple(rules)
    odd = is_odd(url)
    if any(odd or _denies(rule[1:], url) for rule in found if rule.startswith(_DENY)):
        return False
    return any(rule == EVERYTHING or (not odd and _admits(rule, url)) for rule in found if not rule.startswith(_DENY))


def is_odd(url: str) -> bool:
    """Whether it is written so that servers may disagree on what it means: such a URL fits no rule but a plain `*`."""
    text = url.strip()
    plain = unquote(text, errors="replace")
    if not text.isascii() or any(ord(char) <= 32 or ord(char) == 127 for char in text):
        return True
    if any(ord(char) < 32 or char in "\\\x7f" for char in plain) or ".." in re.split("[/:]", plain):
        return True
    match = _URL.fullmatch(text)
    if match is None:
        return False
    user, _, place = match[2].rpartition("@")
    if "@" in user and match[1].lower() != "ssh":
        return True
    if "?" in user or "#" in user:
        return True  # to other readers the host ends there
    parts = _PLACE.fullmatch(place)
    return parts is None or _NAMES.fullmatch(parts[1]) is None


@lru_cache(maxsize=4096)
def _admits(rule: str, url: str) -> bool:
    wanted = _canonical(_parts(url, glob=False))
    return any(matches_separated(_canonical(_parts(text, glob=True)), wanted) for text in alternatives(rule))


@lru_cache(maxsize=4096)
def _denies(rule: str, url: str) -> bool:
    found = _spellings(_parts(url, glob=False))
    return any(
        matches_separated(pattern, spelling)
        for text in alternatives(rule)
        for pattern in (*_spellings(_parts(text, glob=True)), _trimmed(text.strip().lower()))
        for spelling in found
    )


class _Parts(NamedTuple):
    """A URL, or a pattern of URLs, in lower case. `scheme` is empty for what is neither a URL nor an scp form."""

    scheme: str
    user: str
    host: str
    port: str
    path: str


def _parts(text: str, *, glob: bool) -> _Parts:
    plain = text.strip()
    if match := _URL.fullmatch(plain):
        scheme, (user, _, place), path = match[1].lower(), match[2].rpartition("@"), match[3]
    elif match := _SCP.fullmatch(plain):
        scheme, user, place, path = "ssh", match[1], match[2], match[3]
    else:
        return _Parts("", "", "", "", _path(plain, glob=glob))
    found = _PLACE.fullmatch(place)
    host, port = (found[1], found[2] or "") if found else (place, "")
    if scheme == "ssh":
        user = (user if glob else unquote(user, errors="replace")) or _LOGIN
        if port and not port.isdecimal() and not _is_glob(port):
            port, path = "", f"{port}/{path}"  # `ssh://git@host:org/app`, which Argo CD's own tables have
    else:
        if scheme != "file" and not glob:
            path = re.split("[?#]", path, maxsplit=1)[0]  # no server finds a repository by them
        user = ""
    if port.isdecimal():
        port = "" if int(port) == _PORTS.get(scheme) else str(int(port))
    if not glob or not _is_glob(host):
        host = canonical_host(host)
    elif _NAMES.fullmatch(host):
        host = re.sub(r"([][])", r"\\\1", canonical_host(host))  # an address, no class of characters
    else:
        host = host.lower().rstrip(".")
    return _Parts(scheme, user.lower(), host, port, _path(path, glob=glob))


def _path(text: str, *, glob: bool) -> str:
    plain = _ESCAPE.sub(_literal, text) if glob else unquote(text, errors="replace")
    return _trimmed(plain.lower())


def _trimmed(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", ".")).removesuffix(".git").rstrip("/")


def _literal(match: re.Match[str]) -> str:
    """The character of an escape; in a pattern it stands for itself."""
    char = unquote(match[0], errors="replace")
    return f"\\{char}" if char in _SPECIAL else char


def _canonical(parts: _Parts) -> str:
    """Argo CD's form, which for ssh has no scheme: `git@host/org/app`, `https://host:8443/org/app`."""
    if not parts.scheme:
        return parts.path
    start = f"{parts.user}@" if parts.scheme == "ssh" else f"{parts.scheme}://"
    return _joined(f"{start}{parts.host}:{parts.port}" if parts.port else f"{start}{parts.host}", parts.path)


def _joined(place: str, path: str) -> str:
    # A pattern may end within the host: `https://git**`.
    return f"{place}/{path}" if path else place


def _spellings(parts: _Parts) -> frozenset[str]:
    """All forms that a rule may mean the same repository by."""
    if not parts.scheme:
        return frozenset({parts.path})
    places = {f"{parts.host}:{parts.port}" if parts.port else parts.host}
    if not parts.port and parts.scheme in _PORTS:
        places.add(f"{parts.host}:{_PORTS[parts.scheme]}")
    if parts.scheme == "ssh" and parts.port == _ALIAS_PORT:
        places.add(_ALIAS.sub("", parts.host))
    paths = {parts.path, re.sub(r"(/?\.git)+$", "", parts.path)}
    if parts.scheme == "ssh":
        # `~` is where an scp path begins anyhow.
        paths |= {path.removeprefix("~/").removeprefix(f"~{parts.user}/") for path in paths}
    starts = {f"{parts.scheme}://{place}" for place in places}
    if parts.scheme == "ssh":
        starts |= {f"{login}{place}" for place in places for login in ("", f"{parts.user}@", f"{_LOGIN}@")}
        starts |= {f"ssh://{parts.user}@{place}" for place in places}
    return frozenset(_joined(start, path) for start in starts for path in paths)


def _is_glob(text: str) -> bool:
    return any(char in _SPECIAL for char in text)
