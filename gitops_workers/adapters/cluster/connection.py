"""One connection to an API server: its deadlines, its keep-alive probes, the name its certificate must have.

What can go wrong on it is told in words for people here, too: what happened, and what to do.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitops_workers.adapters.cluster.credentials import Credential
from gitops_workers.core.cluster.access import ClusterAccess

ANSWER_TIMEOUT = 60.0
"""Seconds for a whole answer, so that one that drips does not hold a thread for hours."""
ANSWER_BYTES = 128 << 20
"""A page of 500 objects is 0.4 MB, with the largest allowed metadata 130 MB."""
KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds and tries. Cloud load balancers forget a silent connection after 4 to 6 minutes without telling anybody."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `retry_after` is in seconds, None where the server named no time."""

    status: int
    body: bytes
    content_type: str = ""
    retry_after: float | None = None


class Connection(http.client.HTTPConnection):
    """A connection with its own two deadlines, keep-alive probes and the certificate's expected name."""

    def __init__(self, access: ClusterAccess, credential: Credential, connect: float, read: float) -> None:
        server, proxy = urlsplit(access.server), urlsplit(access.proxy)
        self.credential = credential
        self._read = read
        self._name = access.server_name or (server.hostname or "")
        port = server.port or (443 if credential.context else 80)
        if access.proxy:
            super().__init__(proxy.hostname or "", proxy.port or 80, timeout=connect)
            self.set_tunnel(server.hostname or "", port, headers=_proxy_headers(access.proxy))
        else:
            super().__init__(server.hostname or "", port, timeout=connect)

    @property
    def usable(self) -> bool:
        """Whether an idle connection is still open: one that has something to read was closed by the server."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    def connect(self) -> None:
        """Connect, make the tunnel and the TLS session, all within the connect deadline per step."""
        super().connect()
        plain = self.sock
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE:
            if hasattr(socket, name):  # macOS lacks one of them
                plain.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if self.credential.context is not None:
            self.sock = self.credential.context.wrap_socket(plain, server_hostname=self._name)
        self.sock.settimeout(self._read)


def _proxy_headers(proxy: str) -> dict[str, str]:
    import base64  # noqa: PLC0415 - proxies are rare
    from urllib.parse import unquote  # noqa: PLC0415

    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def read_answer(response: http.client.HTTPResponse) -> Answer:
    """The whole answer. Raises HTTPException for a body that is too long or cut, TimeoutError for one that drips."""
    deadline = time.monotonic() + ANSWER_TIMEOUT
    parts = []
    size = 0
    while part := response.read1(1 << 18):
        parts.append(part)
        size += len(part)
        if size > ANSWER_BYTES:
            raise http.client.HTTPException(f"an answer of more than {ANSWER_BYTES >> 20} MiB")
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:  # read1 reports a body that was cut as its end
        raise http.client.IncompleteRead(b"")
    response.close()  # read1 leaves it open, and an open one blocks the connection's next request
    return Answer(
        response.status,
        parts[0] if len(parts) == 1 else b"".join(parts),
        response.headers.get("Content-Type", ""),
        _seconds(response.headers.get("Retry-After")),
    )


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds. API servers write whole seconds; a date (allowed by RFC 9110) counts as a while."""
    if text is None:
        return None
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 30.0


def outage(error: Exception) -> str:
    """What happened and what to do, as the end of a sentence."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"shows a certificate that is not trusted ({error.verify_message}); give its certificate authority, "
                "or the server name it was issued for"
            )
        case ssl.SSLError():
            return f"does not speak TLS with us ({error.reason}); check the address, and the client certificate"
        case TimeoutError():
            return "did not answer in time; check that it runs and that this host may reach it"
        case ConnectionRefusedError():
            return "refuses connections; check that it runs and that this host may reach it"
        case socket.gaierror():
            return "has a name that does not resolve; check the URL and DNS"
        case http.client.BadStatusLine() | http.client.IncompleteRead() | ConnectionError():
            return "cut the connection; the outcome is unknown and will be read again"
        case OSError() if error.strerror:
            return f"cannot be reached ({error.strerror}); check the network between"
        case _:
            return f"gave no usable HTTP answer ({type(error).__name__}); check that the address is an API server's"
