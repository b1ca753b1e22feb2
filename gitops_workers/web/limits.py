"""The first thing every request meets: bounds on its body and on their number, headers on every answer.

A body is counted while it streams, before any signature or parser sees it, so that an endless one costs a megabyte.
"""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gitops_workers.web.problems import MEDIA_TYPE, content

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)


PROBES = frozenset({"/healthz", "/readyz"})
"""What is answered whatever else goes on: a full process is neither dead nor of any use to be started again."""


WEBHOOKS = ("/api/webhook", "/hook/")
"""The doors of Git servers, whose events are larger than anything else that is sent here."""


class _Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        self.sentence = sentence


class Limits:
    """ASGI middleware: `limit` and `webhooks` in bytes of a body, `seconds` for it to arrive, `requests` at a time."""

    def __init__(self, app: ASGIApp, *, limit: int, webhooks: int, seconds: float, requests: int) -> None:
        self.app = app
        self.limit = limit
        self.webhooks = webhooks
        self.seconds = seconds
        self.requests = requests
        self.running = 0
        """Requests whose body has come, and whose answer has not ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, answering 413 or 408 instead of the application when a bound is crossed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        if self.running >= self.requests and scope["path"] not in PROBES:
            full = "this process answers as many requests as it can; send the request again"
            await _say(answer, _Refused(503, full))
            return
        self.running += 1
        try:
            await self.app(scope, self._bounded(scope, receive), answer)
        except _Refused as refusal:
            if not started:
                await _say(answer, refusal)
        except ClientDisconnect:
            return  # the client left, or was cut, before its body had come: nobody is there to be told
        finally:
            self.running -= 1

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        limit = self.webhooks if scope["path"].startswith(WEBHOOKS) else self.limit
        too_large = f"the body is larger than {limit} bytes; no event of a Git server is"
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        length = int(declared) if declared.isdigit() and len(declared) < 20 else limit + 1
        deadline = asyncio.get_running_loop().time() + self.seconds
        read, ended = 0, False

        async def bounded() -> Message:
            nonlocal read, ended
            if ended:
                # What comes after the body is the client's leaving, and an event stream waits for it for hours.
                return await receive()
            if length > limit:
                raise _Refused(413, too_large)
            self.running -= 1  # who is slow to send holds nobody up
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _Refused(408, f"the body did not arrive within {self.seconds:.0f} s; send it again") from None
            finally:
                self.running += 1
            read += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if read > limit:
                raise _Refused(413, too_large)
            return message

        return bounded


async def _say(send: Send, refusal: _Refused) -> None:
    body = content(refusal.status, refusal.sentence)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        # The rest of the body is still on its way: the connection is of no further use.
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
