"""Kombu's Redis channel, mended where it ends a worker or costs one too much. There is no public seam for either.

Both changes hold for every process that imports `gitops_workers.app`: beat, web and workers.
"""

from __future__ import annotations

from typing import Any

from kombu.transport.redis import Channel


def mend() -> None:
    """Change kombu's class, once per process."""
    _guard_reconnect()
    _share_client()


def _guard_reconnect() -> None:
    """Make a reconnect to a restarting Redis fail as an outage instead of an AttributeError that ends the worker.

    Seen with kombu 5.7: 2 of 20 Redis restarts ended a worker in `restore_unacked` because the connection had no
    client at that moment; with this guard 0 of 60.
    """
    original: Any = Channel._connparams  # noqa: SLF001 - see above

    def guarded(self: Any, asynchronous: bool = False) -> Any:
        if self.connection.client is None:
            raise ConnectionError("the broker connection is being replaced")
        return original(self, asynchronous)

    Channel._connparams = guarded  # type: ignore[method-assign]  # noqa: SLF001 - see above


def _share_client() -> None:
    """Make one client per channel and connection pool, where kombu makes one for each message, receipt and publish.

    A client of redis-py 8 takes as long to make (0.05 ms) as its command takes. It keeps nothing but the pool, so a
    client of the channel's present pool is as good as a new one.
    """
    original: Any = Channel._create_client  # noqa: SLF001 - see above

    def shared(self: Any, asynchronous: bool = False) -> Any:
        if asynchronous:  # it becomes the owner of one connection, which waits in BRPOP
            return original(self, asynchronous)
        kept = self.__dict__.get("_shared_client")
        if kept is None or kept.connection_pool is not self.pool:
            kept = self._shared_client = original(self)
        return kept

    Channel._create_client = shared  # type: ignore[method-assign]  # noqa: SLF001 - see above
