"""The web application over ports in memory, asked in-process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.ports import TaskMessage
from gitops_workers.testing.volatile_queue import VolatileQueue
from gitops_workers.testing.volatile_state import VolatileState
from gitops_workers.testing.volatile_telemetry import VolatileTelemetry
from gitops_workers.web.app import create_app
from gitops_workers.web.services import Role, Token, WebServices, WebSettings

READ, WRITE, LIMITED = "read-token-0123456789", "write-token-0123456789", "limited-token-0123456789"
TOKENS = (
    Token.of("reader", Role.READ, READ),
    Token.of("ann", Role.WRITE, WRITE),
    Token.of("team", Role.WRITE, LIMITED, ["shop"]),
)


class StoredSecrets:
    """Port `Secrets` over a dictionary."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], dict[str, bytes]] = {}

    def read(self, ref: SecretRef) -> dict[str, bytes] | None:
        return self.values.get((ref.namespace, ref.name))


@dataclass
class World:
    """Everything a test of the web process looks at."""

    now: float = 1_000.0
    queue: VolatileQueue = field(init=False)
    state: VolatileState = field(init=False)
    telemetry: VolatileTelemetry = field(init=False)
    secrets: StoredSecrets = field(default_factory=StoredSecrets)
    published: list[TaskMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue = VolatileQueue(lambda: self.now)
        self.telemetry = VolatileTelemetry(lambda: self.now)
        self.state = VolatileState(self.queue.cluster_loads, self.telemetry.presence)

    def publish(self, doorbells: Sequence[TaskMessage]) -> None:
        self.published.extend(doorbells)

    def services(self, **settings: Any) -> WebServices:
        """The services over this world; settings as in WebSettings."""
        values: dict[str, Any] = {"tokens": TOKENS, **settings}
        return WebServices(self.state, self.queue, self.publish, WebSettings(**values), self.telemetry, self.secrets)

    def client(
        self,
        *,
        address: tuple[str, int] = ("203.0.113.9", 4711),
        base: str = "http://hooks.example.com",
        **settings: Any,
    ) -> Client:
        """A client that asks as if from that address."""
        return Client(create_app(self.services(**settings)), address, base)


class Client:
    """Asks an application in this process, one request after the other."""

    def __init__(self, app: FastAPI, address: tuple[str, int], base: str) -> None:
        self.app = app
        self._address = address
        self._base = base

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, options as in httpx."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=self._address)
            async with httpx.AsyncClient(transport=transport, base_url=self._base) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **options)


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}
