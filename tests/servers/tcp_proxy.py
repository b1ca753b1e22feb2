"""A TCP proxy in the way of a connection, which can be cut there: for what networks do to idle links."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class TcpProxy:
    """Passes bytes on between whoever connects to `port` and the target."""

    def __init__(self, target: str | tuple[str, int]) -> None:
        """`target`: a path of a unix socket, or host and port."""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._ended = False
        self.port: int = self._listener.getsockname()[1]
        self.refuses = False
        """New connections are closed at once."""
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *, reset: bool = True) -> int:
        """Cut every link on the client's side, by a reset or as if the peer had ended; how many there were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for near, far in pairs:
            if reset:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for end in (near, far):
                with contextlib.suppress(OSError):
                    if not reset:
                        end.shutdown(socket.SHUT_RDWR)
                    end.close()
        return len(pairs)

    def close(self) -> None:
        """Cut everything and listen no more."""
        self._ended = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._ended:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.refuses:
                near.close()
                continue
            far = self._connect()
            with self._lock:
                self._pairs.append((near, far))
            threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._target, str):
            far = socket.socket(socket.AF_UNIX)
            far.connect(self._target)
            return far
        return socket.create_connection(self._target)

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError, ValueError, KeyError):
            for end in other:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(0.2):
                    assert isinstance(key.fileobj, socket.socket)
                    end = key.fileobj
                    data = end.recv(65_536)
                    if not data:
                        return
                    other[end].sendall(data)
                if near.fileno() < 0:
                    return


@contextlib.contextmanager
def tcp_proxy(url: str) -> Iterator[TcpProxy]:
    """In the way of a Redis URL."""
    parts = urlsplit(url)
    proxy = TcpProxy(parts.path if parts.scheme == "unix" else (parts.hostname or "", parts.port or 6379))
    try:
        yield proxy
    finally:
        proxy.close()
