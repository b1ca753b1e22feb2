"""The whole pipeline in memory: push a commit, let time pass, look at the cluster."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from gitops_workers.cipher import Cipher
from gitops_workers.core.documents.kinds import REQUEST
from gitops_workers.core.model import AppId, Application, Dialect
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.scheduling.poll_groups import CATALOGUE, cluster_group, repository_group
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.request import Request
from gitops_workers.pipeline.catalogue import wake_dependents
from gitops_workers.pipeline.catalogue.enrollment import enroll, enroll_groups
from gitops_workers.pipeline.catalogue.refresh import refresh
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.polling.poll import poll
from gitops_workers.pipeline.reconcile.attempt import reconcile
from gitops_workers.ports import Catalogue, TaskMessage, Urgency
from gitops_workers.testing.volatile_cluster import VolatileCluster, VolatileClusters
from gitops_workers.testing.volatile_queue import VolatileQueue
from gitops_workers.testing.volatile_rendering import VolatileClosures, VolatileRenderer
from gitops_workers.testing.volatile_sources import VolatileRepository, VolatileSources
from gitops_workers.testing.volatile_state import VolatileState
from gitops_workers.testing.volatile_telemetry import VolatileTelemetry
from tests.documents import raw
from tests.unit.core.making import application, manifest


class NoSecrets:
    def read(self, ref: SecretRef) -> dict[str, bytes] | None:  # noqa: ARG002 - the port's
        return None


@dataclass
class Lab:
    """One repository, one cluster, any applications; `now` is the only clock."""

    now: float = 1_000_000.0
    rung: list[str] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self.queue = VolatileQueue(lambda: self.now)
        self.telemetry = VolatileTelemetry(self.queue.now)
        self.state = VolatileState(self.queue.cluster_loads, self.telemetry.presence)
        self.sources = VolatileSources(lambda: self.now)
        self.repository = self.sources.repositories.setdefault("https://git.example/shop.git", VolatileRepository())
        self.clusters = VolatileClusters("east")
        self.renderer = VolatileRenderer(self.sources)
        self.context = Context(
            self.sources,
            VolatileClosures(self.sources),
            self.renderer,
            NoSecrets(),
            self.clusters,
            self.state,
            self.queue,
            Cipher(bytes(32)),
            presence=self.telemetry.presence,
        )
        self.applications: dict[AppId, Application] = {}
        self.catalogues: list[Catalogue] = []
        """What refreshes read; without any nobody refreshes, and `declare` enrolls."""
        self.cluster.edit(manifest("Namespace", "shop"))

    @property
    def cluster(self) -> VolatileCluster:
        return self.clusters.open("east")

    def declare(self, dialect: Dialect = Dialect.ARGOCD, name: str = "web", path: str = "web", **sync: Any) -> AppId:
        """An application whose objects are the JSON files under `path`."""
        base = application(dialect, **sync)
        app = replace(base, id=base.id.rsplit("/", 1)[0] + f"/{name}", source=replace(base.source, path=path))
        self.applications[app.id] = app
        self.enroll()
        return app.id

    def enroll(self) -> None:
        clusters = dict.fromkeys(self.applications, "east")
        needed = wake_dependents.dependents_by_application(self.applications)
        self.applications = wake_dependents.with_dependents_flag(self.applications, needed)
        self.state.save_applications(list(self.applications.values()))
        wake_dependents.save(self.context, needed, {})
        for app in self.applications.values():
            enroll(self.context, app, "east")
        enroll_groups(self.context, self.applications, clusters)

    def push(self, *objects: Manifest, path: str = "web", **files: bytes) -> str:
        """A commit with one file per object, under `path`."""
        tree = {f"{path}/{number}.json": json.dumps(item).encode() for number, item in enumerate(objects)}
        return self.repository.commit({**tree, **{f"{path}/{name}": data for name, data in files.items()}})

    def run(self, seconds: float = 0.0) -> list[str]:
        """Let time pass, doing whatever is due; returns what was done."""
        end, done = self.now + seconds, []
        while True:
            bells = self.queue.dispatch(100)
            for bell in bells:
                if bell.id == CATALOGUE and not self.catalogues:
                    continue  # nobody reads one here
                done.append(f"{bell.task} {bell.id}")
                self.serve(self.context, bell)
            if not bells:
                if self.now >= end:
                    return done
                self.now = min(end, self.now + 0.5)

    def serve(self, context: Context, bell: TaskMessage) -> None:
        """What a worker does with a message."""
        if bell.id == CATALOGUE and self.catalogues:
            refresh(context, self.catalogues)
        else:
            (poll if bell.task == "poll" else reconcile)(context, bell.id)

    def ask(self, app: AppId, **options: Any) -> str:
        """What ann types and what the command stores; the id of the request."""
        self.asked += 1
        self.now += 0.001  # what was listed before is older than the wish
        request = Request(f"request-{self.asked}", "ann", **options)
        self.state.save(REQUEST, app, request)
        self.queue.request(app, "asked by ann", Urgency.MANUAL)
        return request.id

    def last_answer(self, app: AppId) -> tuple[str, str, str]:
        """Of the last request that was served: its id, its phase and the message."""
        found = self.state.load(raw("answer"), app)
        return (found["id"], found["phase"], found["message"]) if found else ("", "", "")

    def poll_repository(self) -> list[str]:
        self.now += 1.0
        group = repository_group(next(iter(self.applications.values())))
        self.queue.request_poll(group, Urgency.WEBHOOK)
        return self.run()

    def poll_cluster(self) -> list[str]:
        self.queue.request_poll(cluster_group("east"), Urgency.POLL)
        return self.run()

    def status(self, app: AppId) -> Status:
        status = self.state.status(app)
        assert status is not None
        return status

    def live(self, kind: str, name: str, group: str = "", namespace: str = "shop") -> Manifest | None:
        return self.cluster.objects().get(ObjectKey(group, kind, namespace, name))

    def flush(self) -> None:
        """FLUSHALL, and the catalogue refresh that follows it."""
        self.queue.clear()
        self.telemetry = VolatileTelemetry(self.queue.now)
        self.state = VolatileState(self.queue.cluster_loads, self.telemetry.presence)
        self.context = replace(self.context, state=self.state, presence=self.telemetry.presence)
        self.enroll()
