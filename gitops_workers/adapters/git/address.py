"""Repository URLs: a strict grammar, prefix mirrors, and hosts that nobody may make us reach.

A URL comes from a manifest, so from a tenant. What git, curl or ssh would read as an option, a helper program
(`ext::`), a second host or a line of their own protocols is refused here, before any of them sees it (T14, T16).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.core.errors import HostUnavailable, UnsafeContent
from gitops_workers.core.text.redact import scrub

RESOLVE_SECONDS = 15.0
"""Three tries of an ordinary resolver."""
MAX_URL = 2_048
"""Characters; longer than any server's own limit."""

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9]*)://(?P<authority>[^/]*)(?P<path>/.*)?", re.ASCII)
# `git help remote-helpers`: git starts `git-remote-NAME` for these. A test holds this rule against GitPython's.
_HELPER = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9+.-]*)?::|ext://", re.ASCII)
_SCP = re.compile(r"(?P<user>[^@/:]+)@(?P<host>[^@/:]+):(?P<path>[^:-].*)", re.ASCII)
# For other readers a host ends at `?` and `#`: what stands before them must not choose the credential for what follows.
_AUTHORITY = re.compile(
    r"(?:(?P<info>[^@\\?#]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]@:]+)(?::(?P<port>\d{1,5}))?", re.ASCII
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?\.?", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+~-]{0,127}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_PORTS = {"https": 443, "http": 80, "ssh": 22}

# Metadata services outside link-local: AWS (IPv6), Alibaba, Azure's wire server, Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """A URL taken apart. `url` is what argv shows: no password, no userinfo but SSH's user."""

    scheme: str
    user: str
    host: str
    port: int
    path: str
    url: str
    userinfo: tuple[str, str] = field(default=("", ""), repr=False)
    """User and password of an http(s) URL, decoded; a fallback when no credential is configured (Flux)."""
    trusted: bool = False
    """The operator's own mirror: the host check does not apply."""
    named: str = ""
    """The URL that the manifest has where a mirror stands for it: messages are for those who wrote the manifest."""

    @property
    def shown(self) -> str:
        """The URL for messages."""
        return self.named or self.url

    @property
    def server(self) -> tuple[str, str, int]:
        """Whom a credential of this repository is meant for: scheme, host and port."""
        return self.scheme, self.host.lower(), self.port


def parse_address(url: str, schemes: Iterable[str], *, trusted: bool = False) -> Address:
    """Read a URL or refuse it with UnsafeContent. scp-like `git@host:path` is read as ssh."""
    shown = scrub(url[:200])
    if len(url) > MAX_URL or any(ord(sign) < 32 or ord(sign) > 126 for sign in url):
        raise UnsafeContent(f"repository URL {shown!r}: it is too long or has characters other than printable ASCII")
    if _HELPER.match(url):
        raise UnsafeContent(f"repository URL {shown!r}: transport helpers (name::) can run programs")
    allowed = sorted(schemes)
    scp = ""
    if match := _SCHEME.fullmatch(url):
        scheme, authority, path = match["scheme"], match["authority"], match["path"] or "/"
    elif (match := _SCP.fullmatch(url)) and "::" not in url:
        # Its path starts at the login's home, so it is not the same as ssh://host/path and stays as it is written.
        scheme, path, scp = "ssh", match["path"], f"{match['user']}@{match['host']}:{match['path']}"
        authority = f"{match['user']}@{match['host']}"
    else:
        raise UnsafeContent(f"repository URL {shown!r}: write it as {allowed[0]}://host/path")
    if scheme not in allowed:
        raise UnsafeContent(
            f"repository URL {shown!r}: scheme {scheme!r} is not allowed; use {' or '.join(allowed)}, "
            f"or add it to GITOPS_GIT_SCHEMES"
        )
    _check_path(path, shown)
    if scheme == "file":
        if authority:
            raise UnsafeContent(f"repository URL {shown!r}: a file URL has no host; write file:///path")
        return Address(scheme, "", "", 0, path, f"file://{path}")
    return replace(_remote(scheme, authority, path, shown, scp), trusted=trusted)


def rewrite(url: str, mirrors: Sequence[tuple[str, str]]) -> tuple[str, bool]:
    """Replace the longest matching prefix; the second value says that one matched.

    Prefixes match whole parts: what follows `https://github.com` may be a path and never more of the host, or a tenant
    would choose a host that counts as the operator's own.
    """
    matching = [(prefix, target) for prefix, target in mirrors if _begins(url, prefix)]
    if not matching:
        return url, False
    prefix, target = max(matching, key=lambda pair: len(pair[0]))
    gap = "/" if prefix.endswith("/") and not target.endswith(("/", ":")) else ""
    return target + gap + url[len(prefix) :], True


def _begins(url: str, prefix: str) -> bool:
    if not url.startswith(prefix):
        return False
    rest = url[len(prefix) :]
    return prefix.endswith(("/", ":")) or rest in ("", ".git") or rest.startswith("/")


class HostGuard:
    """Refuses hosts that are ourselves or the cloud's metadata, by the addresses that the name really has."""

    def __init__(self, settings: GitSettings, *, proxied: bool) -> None:
        """`proxied`: http(s) goes through a proxy, which resolves names itself; only literal addresses are judged."""
        self._settings = settings
        self._proxied = proxied
        self._resolvers = ThreadPoolExecutor(8, "git-dns")

    def check(self, address: Address) -> tuple[str, ...]:
        """Return the addresses the request is pinned to (empty: not pinned), or raise UnsafeContent.

        The name is resolved once, here, and git gets the answer, so that a second answer cannot differ (rebinding).
        """
        settings = self._settings
        host = address.host.lower().rstrip(".")
        if address.scheme == "file" or address.trusted or settings.private_allowed or host in settings.private_hosts:
            return ()
        literal = _literal(host)
        if literal is None and self._proxied and address.scheme != "ssh":
            if host == "localhost" or host.endswith(".localhost"):
                raise UnsafeContent(_refusal(address, host))
            return ()
        found = (literal,) if literal else self._resolve(address)
        for item in found:
            if _forbidden(ipaddress.ip_address(item)):
                raise UnsafeContent(_refusal(address, item))
        return found

    def _resolve(self, address: Address) -> tuple[str, ...]:
        job = self._resolvers.submit(socket.getaddrinfo, address.host, address.port, type=socket.SOCK_STREAM)
        try:
            answers = job.result(RESOLVE_SECONDS)
        except FutureTimeoutError:
            job.cancel()
            raise HostUnavailable(f"{address.shown}: the name server gave no answer for {address.host}") from None
        except (OSError, UnicodeError) as problem:
            raise HostUnavailable(f"{address.shown}: the host {address.host} has no address ({problem})") from None
        return tuple(dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers))


def _remote(scheme: str, authority: str, path: str, shown: str, scp: str) -> Address:
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not (match["host"].startswith("[") or _HOST.fullmatch(match["host"])):
        raise UnsafeContent(f"repository URL {shown!r}: the host is not a name or address")
    host, port = match["host"], int(match["port"] or _PORTS[scheme])
    if not 0 < port < 65_536:
        raise UnsafeContent(f"repository URL {shown!r}: port {port} does not exist")
    if path == "/":
        raise UnsafeContent(f"repository URL {shown!r}: the path of the repository is missing")
    user, _, password = (unquote(part) for part in (match["info"] or "").partition(":"))
    place = f"{host}:{match['port']}" if match["port"] else host
    name = host.strip("[]")
    if scheme != "ssh":
        return Address(scheme, "", name, port, path, f"{scheme}://{place}{path}", (user, password))
    if password or (user and not _USER.fullmatch(user)):
        raise UnsafeContent(f"repository URL {shown!r}: write the user as a plain name, and no password, before the @")
    return Address(scheme, user or "git", name, port, path, scp or f"ssh://{user or 'git'}@{place}{path}")


def _check_path(path: str, shown: str) -> None:
    # Decoded too: %0a would become a line of its own in the protocols behind (CVE-2020-5260).
    plain = unquote(path, errors="strict") if _PATH.fullmatch(path) else "\n"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in plain) or plain.lstrip("/").startswith("-"):
        raise UnsafeContent(f"repository URL {shown!r}: the path has characters that no repository needs")
    if ".." in plain.split("/"):
        raise UnsafeContent(f"repository URL {shown!r}: the path must not contain '..'")


def _refusal(address: Address, found: str) -> str:
    return (
        f"repository URL {address.url!r}: {address.host} is {found}, a loopback, link-local or metadata address; "
        f"use the server's own name, or list the host in GITOPS_GIT_PRIVATE_HOSTS"
    )


def _literal(host: str) -> str | None:
    """The address when the host is one. Also the spellings inet_aton knows: `127.1`, `0x7f000001`, `2130706433`."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if re.fullmatch(r"[0-9a-fx.]+", host) and host[0].isdigit():
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            return None
    return None


def _forbidden(item: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(item, ipaddress.IPv6Address):
        inner = item.ipv4_mapped or item.sixtofour
        if inner is None and item in _NAT64:
            inner = ipaddress.IPv4Address(int(item) & 0xFFFF_FFFF)
        if inner is not None:
            return _forbidden(inner)
    odd = item.is_loopback or item.is_link_local or item.is_unspecified or item.is_multicast or item.is_reserved
    return odd or item in _METADATA
