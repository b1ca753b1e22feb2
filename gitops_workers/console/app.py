"""Flower with our pages: a subclass and nothing patched, with or without a URL prefix and a login."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flower.app import Flower
from tornado.web import StaticFileHandler, url

from gitops_workers.console.content_policy import ContentPolicy
from gitops_workers.console.pages import ApplicationPage, Applications, ClustersPage
from gitops_workers.console.templating import ChainLoader
from gitops_workers.ports import Queue, State, Telemetry

STATIC = Path(__file__).parent / "static"


class GitOpsFlower(Flower):  # type: ignore[misc]  # Flower has no types
    """Flower over a state store, the due queue and the heartbeats.

    `outages` are what the store raises when it does not answer.
    """

    def __init__(
        self,
        store: State,
        queue: Queue,
        telemetry: Telemetry,
        *,
        options: Any,
        outages: tuple[type[Exception], ...] = (),
        **settings: Any,
    ) -> None:
        # The loader is a setting, so it has to be there before Tornado's own constructor reads them.
        super().__init__(options=options, template_loader=ChainLoader(), **settings)
        self.transforms.append(ContentPolicy)
        self.store = store
        self.queue = queue
        self.telemetry = telemetry
        self.outages = outages
        # Tornado asks handlers that were added for a host before the application's own table, whose last is a 404.
        self.add_handlers(r".*", _handlers((options.url_prefix or "").strip("/")))


def _handlers(prefix: str) -> list[url]:
    base = f"/{prefix}" if prefix else ""
    return [
        url(rf"{base}/applications/?", Applications, name="gitops-applications"),
        url(rf"{base}/application/(.+)", ApplicationPage, name="gitops-application"),
        url(rf"{base}/clusters/?", ClustersPage, name="gitops-clusters"),
        url(rf"{base}/gitops-static/(.*)", StaticFileHandler, {"path": str(STATIC)}, name="gitops-static"),
    ]
