"""What this process itself has read of the installation's settings, and since when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _nothing() -> None:
    """Where nothing can be read again."""


@dataclass(slots=True)
class OwnSettings:
    """`digest` tells the reading in use, "" where there never was one; `reload` reads again. Safe for threads.

    Every reload goes through `read`, so that no change passes unseen.
    """

    digest: Callable[[], str] = str
    reload: Callable[[], None] = _nothing
    _since: dict[str, float] = field(default_factory=dict)
    _last: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, now: Callable[[], float]) -> tuple[str, Mapping[str, float]]:
        """The digest after a look at the files, and when each digest that was read here began to be in use.

        Threads wait for each other: all of them came because of the same change, and the second finds it done.
        """
        with self._lock:
            self.reload()
            own = self.digest()
            if own and own != self._last:
                self._since[own] = now()
                self._last = own
            return own, dict(self._since)
