"""One request to an API server: pooled connections, deadlines, and nothing sent twice that could act twice.

The pool is a stack, so that a quiet cluster keeps one warm connection. A connection that the server closed while it was
idle is noticed before it is used; where that race is lost, only a GET is sent again, since a write whose answer was
lost may have been done (its caller reads the world anew instead of assuming).
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import structlog

from gitops_workers.adapters.cluster.credentials import Credential, obtain
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.telemetry.figures import API_REQUESTS, counted
from gitops_workers.runtime.meters import METER

log = structlog.get_logger()

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
"""Seconds between two packets of an answer. API servers end a request themselves after 60."""
ANSWER_TIMEOUT = 60.0
"""Seconds for a whole answer, so that one that drips does not hold a thread for hours."""
ANSWER_BYTES = 128 << 20
"""A page of 500 objects is 0.4 MB, with the largest allowed metadata 130 MB."""
APPLY_TYPE = "application/apply-patch+yaml"
_VERBS = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""Seconds and tries. Cloud load balancers forget a silent connection after 4 to 6 minutes without telling anybody."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `retry_after` is in seconds, None where the server named no time."""

    status: int
    body: bytes
    content_type: str = ""
    retry_after: float | None = None


class Transport:
    """Connections to one cluster under one credential; safe for any number of threads."""

    def __init__(
        self,
        access: ClusterAccess,
        *,
        connections: int = 16,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        """Nothing is connected yet. `connections` are kept open at most: as many as threads work at once."""
        self.access = access
        self._keep = connections
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._base = urlsplit(access.server).path.rstrip("/")
        self._host = urlsplit(access.server).netloc.rpartition("@")[2]
        self._credential: Credential | None = None
        self.heard_at = float("-inf")
        """When the server last answered, other than with a failure of its own; monotonic seconds."""
        self._idle: deque[_Connection] = deque()
        self._lock = threading.Lock()
        # A cluster that left the configuration is simply let go of: threads in the middle of a request finish it.
        weakref.finalize(self, _close_all, self._idle)

    def __str__(self) -> str:
        """`cluster east (https://...)`, for messages."""
        return f"cluster {self.access.name} ({self.access.server})"

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        about: str = "",
    ) -> Answer:
        """Send and return whatever the server answers. Raises ClusterUnavailable when it does not.

        Every request that may change the cluster leaves one line in the log, here and nowhere else, so that no way
        around it exists. `about` names the object in that line; without it the path does.
        """
        if method == "GET" or (query and "dryRun" in query):
            return self._request(method, path, query, body, content_type, accept)
        began, result = time.monotonic(), "no answer"
        try:
            answer = self._request(method, path, query, body, content_type, accept)
            result = str(answer.status)
        finally:
            log.info(
                "cluster_write",
                cluster=self.access.name,
                object=about or path,
                verb="apply" if content_type == APPLY_TYPE else _VERBS[method],
                result=result,
                milliseconds=round((time.monotonic() - began) * 1000, 1),
            )
        return answer

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        content_type: str,
        accept: str,
    ) -> Answer:
        code = "<error>"  # client-go's word for a request without an answer
        try:
            answer = self._renewing(method, path, query, body, content_type, accept)
            code = str(answer.status)
        finally:
            METER.add(counted(API_REQUESTS, (code, method, self._host)))
        return answer

    def _renewing(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | None,
        content_type: str,
        accept: str,
    ) -> Answer:
        """Send; once more under a new credential where the old one was refused."""
        target = f"{self._base}{path}?{urlencode(query)}" if query else self._base + path
        extra = {"Accept": accept}
        if body is not None:
            extra["Content-Type"] = content_type
        credential = self._current(None)
        answer = self._send(credential, method, target, body, extra)
        if answer.status == 401 and self.access.renewable:
            # Refused before anything was done, so even a write may be sent again under a new credential.
            answer = self._send(self._current(credential), method, target, body, extra)
        return answer

    def _current(self, refused: Credential | None) -> Credential:
        """The credential; a new one when the present one is too old or is the one that was refused."""
        with self._lock:
            held = self._credential
            if held is None or held is refused or time.monotonic() >= held.until:
                held = obtain(self.access)
                self._credential = held
                _close_all(self._idle)  # their TLS may carry the old client certificate
            return held

    def _send(
        self, credential: Credential, method: str, target: str, body: bytes | None, extra: Mapping[str, str]
    ) -> Answer:
        headers = {**credential.headers, **extra}
        while True:
            connection = self._take(credential)
            reused = connection.sock is not None
            try:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                data = _read(response)
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if reused and method == "GET" and isinstance(error, http.client.BadStatusLine | ConnectionError):
                    continue  # ends: every round takes a connection from the pool, a new one is not retried
                raise ClusterUnavailable(f"{self} {_words(error)}") from None
            if response.will_close:
                connection.close()
            else:
                self._put(connection, credential)
            if response.status < 500:
                self.heard_at = time.monotonic()
            return Answer(
                response.status,
                data,
                response.headers.get("Content-Type", ""),
                _seconds(response.headers.get("Retry-After")),
            )

    def _take(self, credential: Credential) -> _Connection:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.credential is credential and connection.usable:
                    return connection
                connection.close()
        return _Connection(self.access, credential, self._connect_timeout, self._read_timeout)

    def _put(self, connection: _Connection, credential: Credential) -> None:
        with self._lock:
            if credential is self._credential and len(self._idle) < self._keep:
                self._idle.append(connection)
                return
        connection.close()


class _Connection(http.client.HTTPConnection):
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


def _close_all(connections: deque[_Connection]) -> None:
    while connections:
        connections.pop().close()


def _proxy_headers(proxy: str) -> dict[str, str]:
    import base64  # noqa: PLC0415 - proxies are rare
    from urllib.parse import unquote  # noqa: PLC0415

    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _read(response: http.client.HTTPResponse) -> bytes:
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
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds. API servers write whole seconds; a date (allowed by RFC 9110) counts as a while."""
    if text is None:
        return None
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else 30.0


def _words(error: Exception) -> str:
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
