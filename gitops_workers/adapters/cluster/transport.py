"""One request to an API server: pooled connections, deadlines, and nothing sent twice that could act twice.

The pool is a stack, so that a quiet cluster keeps one warm connection. A connection that the server closed while it was
idle is noticed before it is used; where that race is lost, only a GET is sent again, since a write whose answer was
lost may have been done (its caller reads the world anew instead of assuming).
"""

from __future__ import annotations

import http.client
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import structlog

from gitops_workers.adapters.cluster.connection import Answer, Connection, outage, read_answer
from gitops_workers.adapters.cluster.credentials import Credential, obtain
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.telemetry.figures import API_REQUESTS, counted
from gitops_workers.runtime.meters import METER

log = structlog.get_logger()

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
"""Seconds between two packets of an answer. API servers end a request themselves after 60."""
APPLY_TYPE = "application/apply-patch+yaml"
_VERBS = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}


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
        self._idle: deque[Connection] = deque()
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
                answer = read_answer(response)
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if reused and method == "GET" and isinstance(error, http.client.BadStatusLine | ConnectionError):
                    continue  # ends: every round takes a connection from the pool, a new one is not retried
                raise ClusterUnavailable(f"{self} {outage(error)}") from None
            if response.will_close:
                connection.close()
            else:
                self._put(connection, credential)
            if response.status < 500:
                self.heard_at = time.monotonic()
            return answer

    def _take(self, credential: Credential) -> Connection:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.credential is credential and connection.usable:
                    return connection
                connection.close()
        return Connection(self.access, credential, self._connect_timeout, self._read_timeout)

    def _put(self, connection: Connection, credential: Credential) -> None:
        with self._lock:
            if credential is self._credential and len(self._idle) < self._keep:
                self._idle.append(connection)
                return
        connection.close()


def _close_all(connections: deque[Connection]) -> None:
    while connections:
        connections.pop().close()
