"""A lab in which applications depend on each other: what is written, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_workers.core.model import AppId, Dialect
from gitops_workers.core.objects import Manifest
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.pipeline.hazards import HazardLab, Worker
from tests.unit.pipeline.moves import as_json

HOUR = 3600.0


class Shop(HazardLab):
    """Applications by short name; each has the folder of its name. `wrote`: what was applied, in this order."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.files: dict[str, bytes] = {}
        self.wrote: list[str] = []

    def add(self, name: str, *on: str | Dependency, dialect: Dialect = Dialect.FLUX, **sync: Any) -> AppId:
        """An application that is looked at once an hour, unless somebody rings."""
        app = self.declare(dialect, name, name, **sync)
        wanted = tuple(item if isinstance(item, Dependency) else Dependency(item) for item in on)
        schedule = replace(self.applications[app].schedule, interval=HOUR)
        self.applications[app] = replace(self.applications[app], depends_on=wanted, schedule=schedule)
        self.enroll()
        return app

    def write(self, **folders: Manifest | bytes | None) -> str:
        """A commit in which these folders hold this object, or something that is none."""
        for name, content in folders.items():
            self.files.pop(f"{name}/0.json", None)
            if content is not None:
                self.files[f"{name}/0.json"] = content if isinstance(content, bytes) else as_json(content)
        self.now += 0.001
        commit = self.repository.commit(dict(self.files))
        self.order[commit] = len(self.order)
        return commit

    def witness(self, worker: Worker, port: str, name: str, call: Any, words: tuple[Any, ...]) -> Any:
        if port == "cluster" and name == "apply" and not words[-1]["dry_run"]:
            self.wrote.append(words[0]["metadata"]["name"])
        return super().witness(worker, port, name, call, words)

    def work(self, seconds: float = 0.0) -> None:
        """Everything that is due, as workers do it; the few requests take no time worth a poll."""
        end = self.now + seconds
        while True:
            self.queue.sweep()
            while bells := self.queue.dispatch(100):
                for bell in bells:
                    self.answer(bell)
            if self.now >= end:
                return
            self.now = min(end, self.now + 1.0)

    def controllers_report(self) -> None:
        """Also the condition that kstatus asks for."""
        super().controllers_report()
        for key, live in self.cluster.objects().items():
            if key.kind == "Deployment" and not live["status"].get("conditions"):
                available = {"type": "Available", "status": "True"}
                self.cluster.put_status(key, {**live["status"], "conditions": [available]})

    def webhook(self) -> None:
        for group in self.state.load(raw("catalogue"), "groups"):
            if group.startswith("repository/"):
                self.queue.request_poll(group, Urgency.WEBHOOK)

    def value(self, name: str) -> str | None:
        live = self.live("ConfigMap", name)
        return live["data"]["v"] if live else None

    def values(self, *names: str) -> list[str | None]:
        return [self.value(name) for name in names]
