"""Reading the bodies of webhooks: small ones beside each other, large ones one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import HTTPException, Request

TINY = 65_536
"""Bytes that are held of any request without waiting for a turn: nearly all events are smaller."""
BESIDE = 16
"""Bodies between that and the limit of small ones that are held beside each other."""


class Bodies:
    """What all webhooks of a process hold together is bounded: the larger a body, the fewer beside it.

    A body is held until it was parsed, which takes several times its size. A client that waits for its turn is not read
    from meanwhile, so that its bytes stay where they are.
    """

    def __init__(self, small: int, seconds: float) -> None:
        """`small` in bytes: those that are larger are held one at a time. `seconds`: the longest wait for a turn."""
        self._seconds = seconds
        self._turns = ((TINY, asyncio.Semaphore(BESIDE)), (small, asyncio.Semaphore(1)))

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytearray]:
        """The whole body, until the block ends. Raises 503 when other large ones take too long."""
        body = bytearray()
        held: list[asyncio.Semaphore] = []
        try:
            async for part in request.stream():
                for size, turn in self._turns[len(held) :]:
                    if len(body) + len(part) > size:
                        await self._wait(turn)
                        held.append(turn)
                body += part
            yield body
        finally:
            body.clear()  # an error's traceback would keep it until the garbage collector comes by
            for turn in held:
                turn.release()

    async def _wait(self, turn: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await turn.acquire()
        except TimeoutError:
            raise HTTPException(503, "too many large events are being read; send this one again") from None
