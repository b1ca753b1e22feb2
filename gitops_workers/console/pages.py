"""The three pages: Applications, one application, Clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from flower.views import BaseHandler
from tornado.web import HTTPError, authenticated

from gitops_workers.console import labels, listing
from gitops_workers.core.errors import AmbiguousName, NoSuchApplication, Retry
from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.objects import digest
from gitops_workers.core.status.listing import FAILING
from gitops_workers.core.status.rows import ResourceView
from gitops_workers.core.status.trouble import failing, reason
from gitops_workers.pipeline.catalogue.remarks import remarks_of
from gitops_workers.ports import State
from gitops_workers.services import lookup
from gitops_workers.services.details import details
from gitops_workers.services.explain import explanation_of
from gitops_workers.services.wait import missing_processes

OBJECTS = 500
"""Objects shown of one application, those in trouble first; the CLI lists all."""

REFRESH_SECONDS = 10

ASSETS = digest(*(path.read_bytes() for path in sorted((Path(__file__).parent / "static").iterdir())))[:8]
"""In the address of styles and script, so that a browser never mixes two versions."""

Answer = TypeVar("Answer")


class Page(BaseHandler):  # type: ignore[misc]  # Flower has no types
    """What the pages share: the store, read off the loop, and the words of the templates."""

    @property
    def store(self) -> State:
        """The state store."""
        store: State = self.application.store
        return store

    def get_current_user(self) -> Any:
        """Flower's own check, which raises on a login that is not ASCII: that one is wrong, too."""
        try:
            return super().get_current_user()
        except TypeError as problem:
            raise HTTPError(401) from problem

    async def read(self, question: Callable[[State], Answer]) -> Answer:
        """Ask the store in a thread: Flower has one loop for everybody."""
        try:
            answer: Answer = await self.application.io_loop.run_in_executor(
                self.application.executor, question, self.store
            )
        except NoSuchApplication as problem:
            raise HTTPError(404, str(problem)) from problem
        except AmbiguousName as problem:
            raise HTTPError(409, str(problem)) from problem
        except (OSError, Retry, *self.application.outages) as problem:
            raise HTTPError(503, "The state store does not answer; look at Redis, then reload this page.") from problem
        return answer

    def argument(self, name: str) -> str:
        """A query argument as it was sent; templates escape."""
        values = self.request.query_arguments.get(name, [b""])
        return str(values[-1].decode("utf-8", "replace"))

    def show(self, template: str, **values: Any) -> None:
        """Render with the words that all our templates use."""
        now = datetime.now(UTC)
        refresh = REFRESH_SECONDS if self.application.options.auto_refresh else 0
        self.set_header("Referrer-Policy", "same-origin")
        self.render(
            template,
            labels=labels,
            when=lambda at: labels.when(at, now),
            clock=now.strftime("%H:%M:%S UTC"),
            refresh=refresh,
            assets=ASSETS,
            to=self.to,
            **values,
        )

    def to(self, path: str) -> str:
        """A path of this console as a link, below Flower's prefix."""
        prefix = (self.application.options.url_prefix or "").strip("/")
        return f"/{prefix}{path}" if prefix else path

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Show an outage in the page's own frame, and a name that is not unique like one that nothing has."""
        problem = (kwargs.get("exc_info") or (None, None))[1]
        if status_code == 503 and isinstance(problem, HTTPError):
            self.set_header("Retry-After", "5")
            self.show("gitops-outage.html", tab="", message=problem.log_message)
            return
        if status_code == 409 and isinstance(problem, HTTPError):
            self.render("404.html", message=problem.get_message())
            return
        super().write_error(status_code, **kwargs)


class Applications(Page):
    """`/applications`: every application, filtered, sorted, fifty at a time."""

    @authenticated
    async def get(self) -> None:
        """Render one page of the listing."""
        wanted = listing.parse(self.argument)
        found = await self.read(lambda store: store.query(wanted.query))
        if not found.rows and wanted.page > 1 and found.total:
            wanted = listing.parse(
                lambda name: str(wanted.pages(found.total)) if name == "page" else self.argument(name)
            )
            found = await self.read(lambda store: store.query(wanted.query))
        counts = await self.read(lambda store: store.counts())
        clusters = await self.read(lambda store: [view.name for view in store.clusters()])
        self.show(
            "gitops-applications.html",
            tab="applications",
            listing=wanted,
            query=wanted.query,
            rows=found.rows,
            total=found.total,
            everything=sum(counts.get("sync", {}).values()),
            sync_counts=_in_order(counts.get("sync", {}), [word.value for word in SyncStatus]),
            health_counts=_in_order(counts.get("health", {}), [word.value for word in HealthStatus]),
            outcome_counts=_in_order(counts.get("outcome", {}), [word.value for word in Phase]),
            failing=counts.get("failing", {}).get(FAILING, 0),
            remarks=await self.read(remarks_of),
            clusters=sorted(clusters),
            projects=sorted(counts.get("project", {})),
            application_path=listing.application_path,
            sorts=listing.SORTS,
            reason=reason,
        )


class ApplicationPage(Page):
    """`/application/<id>`: one application with its objects, history and events."""

    @authenticated
    async def get(self, app: str) -> None:
        """Render the application with this id or unique bare name, or 404."""
        name, queue = unquote(app), self.application.queue
        status = await self.read(lambda store: lookup.find(store, name))
        shown = await self.read(lambda store: details(store, status))
        resources = shown.resources
        self.show(
            "gitops-application.html",
            tab="applications",
            status=status,
            failing=failing,
            reason=reason,
            explanation=await self.read(lambda store: explanation_of(store, queue, status)),
            resources=sorted(resources, key=_trouble_first)[:OBJECTS],
            hidden=max(0, len(resources) - OBJECTS),
            object_count=len(resources),
            depends_on=shown.depends_on,
            history=shown.history,
            events=await self.read(lambda store: store.events(status.id, 50)),
        )


class ClustersPage(Page):
    """`/clusters`: destination clusters, their queues and the workers that serve them."""

    @authenticated
    async def get(self) -> None:
        """Render all clusters."""
        views = await self.read(lambda store: store.clusters())
        telemetry = self.application.telemetry
        missing = await self.read(lambda store: missing_processes(store, telemetry))
        self.show(
            "gitops-clusters.html",
            tab="clusters",
            clusters=views,
            missing=missing,
            unreachable=sum(view.reachable is False for view in views),
            waiting=sum(view.queue_depth for view in views),
            in_flight=sum(view.in_flight for view in views),
        )


def _in_order(counts: Mapping[str, int], order: Sequence[str]) -> list[tuple[str, int]]:
    known = Counter(dict(counts))
    return [(word, known[word]) for word in order if known[word]]


def _trouble_first(view: ResourceView) -> tuple[int, int, str, str, str]:
    health = view.health.value if view.health else ""
    bad = {"danger": 0, "warning": 1, "active": 2}.get(labels.colour(health), 3)
    return (
        0 if view.status is SyncStatus.OUT_OF_SYNC else 1 if bad < 3 else 2,
        bad,
        view.kind,
        view.namespace,
        view.name,
    )
