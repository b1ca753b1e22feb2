"""The pipeline in memory under bad luck: workers that die, freeze or meet an outage at any of their requests.

Each message is answered by a `Worker` of its own, which sees every port through a `Wire`. A wire counts the requests
and lets one of them meet its fate. A killed worker makes no further request, not even the one that would give its
lease back; a frozen one stands where it is, in a thread, until it is thawed.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from gitops_workers.core.errors import ClusterUnavailable, GitOpsError, Incomplete, Retry, SourceUnavailable
from gitops_workers.core.objects import ObjectKey, key_of
from gitops_workers.core.scheduling.poll_groups import CATALOGUE
from gitops_workers.core.sync.hooks import RUN, phases_of
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import TaskMessage
from gitops_workers.redis_client import StoreUnavailable
from gitops_workers.testing.volatile_sources import VolatileSources
from tests.documents import raw
from tests.unit.pipeline.lab import Lab


class Fate(enum.StrEnum):
    """What happens at the chosen request."""

    KILL = "killed before the request"
    KILL_AFTER = "killed before the answer"
    FREEZE = "frozen before the request"
    FAIL = "the request fails"
    FAIL_AFTER = "the answer is lost"
    CUT = "the answer is cut short"


REPLICAS = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
OUTAGE: dict[str, GitOpsError] = {
    "cluster": ClusterUnavailable("cluster east does not answer"),
    "records": ClusterUnavailable("cluster east does not answer"),
    "sources": SourceUnavailable("https://git.example/shop.git: connection refused"),
    "state": StoreUnavailable("Redis cannot serve this now"),
    "queue": StoreUnavailable("Redis cannot serve this now"),
}


class Killed(BaseException):
    """The process is gone: raised by every request from then on, so that nothing more happens."""


class Promise(AssertionError):
    """An invariant that does not hold."""


@dataclass
class Worker:
    """One message in the hands of one process."""

    lab: HazardLab
    bell: TaskMessage
    host: int = 0
    at: int = 0
    fate: Fate | None = None
    requests: int = 0
    dead: bool = False
    paused: bool = False
    late: int = 0
    """Writes of an older commit over a newer one."""
    commit: str = ""
    rendered: bool = False
    ordered: bool = False
    """The application's manifest is gone: its deletes need no render."""
    read: set[ObjectKey] = field(default_factory=set)
    desired: set[ObjectKey] = field(default_factory=set)
    error: BaseException | None = None
    _thread: threading.Thread | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _go: threading.Event = field(default_factory=threading.Event)

    def run(self) -> bool:
        """Work until the end or the freeze; whether it froze."""
        if self.fate is not Fate.FREEZE:
            self._work()
            return False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        assert self._stopped.wait(20)
        return self.paused

    def thaw(self) -> None:
        """Go on where it stood."""
        self._go.set()
        assert self._thread is not None
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.check()

    def check(self) -> None:
        if isinstance(self.error, BaseException) and not isinstance(self.error, Killed | Retry):
            raise self.error

    def _work(self) -> None:
        try:
            self.lab.serve(self.lab.world_of(self), self.bell)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that plays the fates
            self.error = error
        finally:
            self._stopped.set()

    def through(self, port: str, name: str, call: Callable[[], Any], words: tuple[Any, ...]) -> Any:
        """One request."""
        if self.dead:
            raise Killed
        self.requests += 1
        self.lab.now += 0.001
        fate = self.fate if self.requests == self.at else None
        match fate:
            case Fate.KILL:
                self.dead = True
                raise Killed
            case Fate.FREEZE:
                self.paused = True
                self._stopped.set()
                assert self._go.wait(60)
            case Fate.FAIL if port in OUTAGE:
                raise OUTAGE[port]
            case Fate.CUT if name in ("observe", "get"):
                raise Incomplete("cluster east cut the answer short")
        answer = self.lab.witness(self, port, name, call, words)
        if fate is Fate.KILL_AFTER:
            self.dead = True
            raise Killed
        if fate is Fate.FAIL_AFTER and port in OUTAGE:
            raise OUTAGE[port]
        return answer


class Wire:
    """A port as one worker reaches it."""

    def __init__(self, worker: Worker, port: str, reach: Callable[[], Any]) -> None:
        self._worker, self._port, self._reach = worker, port, reach

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*words: Any, **options: Any) -> Any:
            return self._worker.through(
                self._port, name, lambda: getattr(self._reach(), name)(*words, **options), (*words, options)
            )

        return call


class HazardLab(Lab):
    """The lab, with workers that can be unlucky, and a witness of everything they write."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # Two hosts: each remembers for itself what the Git server has listed.
        self.hosts = [self.sources, VolatileSources(lambda: self.now)]
        self.hosts[1].repositories = self.sources.repositories
        self.frozen: list[Worker] = []
        self.order: dict[str, int] = {}
        self.last_written: dict[ObjectKey, int] = {}
        self.runs: set[str] = set()
        """Which hooks were created, each by its operation and phase."""
        self.ghosts: set[ObjectKey] = set()
        """Objects that left Git and that the one late request of a frozen worker made again: nobody can tell them from
        objects that somebody else made with our marks, so they are left alone."""

    def push(self, *objects: Any, path: str = "web", **files: bytes) -> str:
        self.now += 0.001
        commit = super().push(*objects, path=path, **files)
        self.order[commit] = len(self.order)
        return commit

    def world_of(self, worker: Worker) -> Context:
        """Every port, through the worker's wires."""

        def wire(port: str, reach: Callable[[], Any]) -> Any:
            return Wire(worker, port, reach)

        clusters = SimpleNamespace(
            names=self.clusters.names,
            resolve=self.clusters.resolve,
            fleet=self.clusters.fleet,
            server=self.clusters.server,
            identity=self.clusters.identity,
            heard=self.clusters.heard,
            open=lambda name: wire("cluster", lambda: self.clusters.open(name)),
            records=lambda name: wire("records", lambda: self.clusters.records(name)),
        )
        return replace(
            self.context,
            sources=wire("sources", lambda: self.hosts[worker.host]),
            renderer=wire("renderer", lambda: self.renderer),
            clusters=clusters,
            state=wire("state", lambda: self.state),
            queue=wire("queue", lambda: self.queue),
            clock=lambda: self.now,
        )

    def witness(self, worker: Worker, port: str, name: str, call: Callable[[], Any], words: tuple[Any, ...]) -> Any:
        """Do what was asked, and note what the invariants speak of."""
        if name == "render":
            answer = call()
            worker.commit, worker.rendered = words[3].resolved.commit, True
            kept = (item for item in answer.objects if not phases_of(item))
            worker.desired = {key_of(item)._replace(namespace="shop") for item in kept}
            return answer
        if port == "state" and name == "application":
            app = call()
            worker.ordered = app is not None and app.leaving is not None
            return app
        if port == "cluster" and name == "get":
            answer = call()
            worker.read.add(words[0])
            return answer
        if port == "cluster" and name in ("apply", "replace") and not words[-1]["dry_run"]:
            answer = call()
            self._applied(worker, key_of(words[0]))
            if answer.created and (run := words[0]["metadata"].get("annotations", {}).get(RUN)):
                self._began(worker, run)
            return answer
        if port == "cluster" and name == "delete":
            self._about_to_delete(worker, words[0])
            return call()
        return call()

    def _applied(self, worker: Worker, key: ObjectKey) -> None:
        order = self.order[worker.commit]
        if worker.paused and key not in self._listed(worker):
            worker.late += 1
            self.ghosts.add(key)
            if worker.late > 1:
                raise Promise(f"F05: {key} is a second late write of one worker")
            return
        if order < self.last_written.get(key, -1):
            worker.late += 1
            if worker.fate is not Fate.FREEZE or worker.late > 1:
                raise Promise(f"I2: {key} was written from commit {order} after {self.last_written[key]}")
            return
        self.last_written[key] = order
        self.ghosts.discard(key)

    def _listed(self, worker: Worker) -> set[ObjectKey]:
        stored = next(r for r in self.clusters.records("east").load_all() if r.record.app == worker.bell.id)
        return {item.key for item in (*stored.record.inventory, *stored.record.hooks)}

    def _began(self, worker: Worker, run: str) -> None:
        if run in self.runs and not worker.paused:
            raise Promise(f"hook run {run} was begun twice")
        self.runs.add(run)

    def _about_to_delete(self, worker: Worker, key: ObjectKey) -> None:
        metadata = self.cluster.objects().get(key, {}).get("metadata", {})
        run = RUN in metadata.get("annotations", {})  # whose it is stands on it
        if not worker.rendered and not worker.ordered and not run:
            raise Promise(f"I3: {key} is deleted without a render")
        if key not in worker.read:
            raise Promise(f"I3: {key} is deleted without having been read")
        if key in worker.desired and not worker.ordered and not self._recreates(worker.bell.id):
            raise Promise(f"I3: {key} is deleted and desired by the same attempt")
        if key.name.startswith("stranger"):
            raise Promise(f"I3: {key} is a stranger's")

    def _recreates(self, app: str) -> bool:
        """Whether somebody asked for just that: Force where the application says Replace is delete and create."""
        asked = self.state.load(raw("request"), app) or {}
        going = (self.state.load(raw("operation"), app) or {}).get("request") or {}
        return self.applications[app].sync.replace and bool(asked.get("force") or going.get("force"))

    def answer(self, bell: TaskMessage, *, host: int = 0, at: int = 0, fate: Fate | None = None) -> Worker:
        """A worker takes the message."""
        worker = Worker(self, bell, host, at, fate)
        if worker.run():
            self.frozen.append(worker)
        else:
            worker.check()
        return worker

    def answer_until(self, unlucky: int, fate: Fate, *, seconds: int, reports: bool = True) -> bool:
        """Answer for so long, or until the request with this number, counted over all workers, meets its fate.

        Whether it came to that. Without `reports` no controller says anything meanwhile.
        """
        count = 0
        for _ in range(seconds):
            for bell in self.queue.dispatch(10):
                worker = Worker(self, bell, at=unlucky - count, fate=fate)
                worker.run()
                count += worker.requests
                if worker.dead:
                    return True
            if reports:
                self.controllers_report()
            self.now += 1.0
        return False

    def answer_refresh(self, at: int, fate: Fate) -> Worker:
        """Answer all that rings. Whoever refreshes the catalogue meets this fate at its request `at`."""
        refreshing: Worker | None = None
        for bell in self.queue.dispatch(10):
            if bell.id == CATALOGUE:
                refreshing = self.answer(bell, at=at, fate=fate)
            else:
                self.answer(bell)
        assert refreshing is not None
        return refreshing

    def thaw(self, number: int = 0) -> None:
        self.frozen.pop(number).thaw()

    def controllers_report(self) -> None:
        """Every Deployment is ready at once, every Job is done."""
        for key, live in self.cluster.objects().items():
            if key.kind == "Job" and "status" not in live:
                self.cluster.put_status(key, {"conditions": [{"type": "Complete", "status": "True"}]})
            if key.kind == "Deployment":
                status = dict.fromkeys(REPLICAS, live["spec"]["replicas"])
                status["observedGeneration"] = live["metadata"]["generation"]
                if live.get("status") != status:
                    self.cluster.put_status(key, status)

    def settle_down(self, seconds: float) -> None:
        """No more bad luck: beat rings, workers answer, the sweep finds what was lost."""
        end, turn = self.now + seconds, 0
        while self.now < end:
            self.controllers_report()
            self.queue.sweep()
            while bells := self.queue.dispatch(100):
                for bell in bells:
                    turn += 1
                    self.answer(bell, host=turn % 2)
            self.now += 5.0
