"""The ground of the fault experiments: two clusters, a Git server, Redis and the whole engine, all of them mortal.

What the clusters must hold is written down here and nowhere else (`content`), pushed to Git, and compared with what the
API servers list. The audit log of each API server tells every delete that the engine asked for.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from redis import Redis, RedisError

from gitops_workers.adapters.cluster.records import DATA_KEY
from gitops_workers.core.record.record import NAMESPACE, PART_OF, applyset_id, record_name
from gitops_workers.core.status.rows import Status
from gitops_workers.local.child import Child
from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.local.control_planes import control_planes
from gitops_workers.local.git_server import GitServer, git_server
from gitops_workers.local.kube_programs import AUDITED, StaticToken, write_config
from gitops_workers.local.redis_server import RedisServer, embedded_redis
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_state
from tests.servers.engine import RunningEngine, commands, free_port, running_engine
from tests.servers.git_repository import BareRepository

TOKEN = "fault-token-of-the-engine"
SECOND_TOKEN = "fault-token-after-the-rotation"
CLUSTERS = ("east", "west")
SIZE = 24
BIG = "app-0"
"""One application with enough objects to be killed in the middle of them."""
POLL_SECONDS = 2.0
LEASE_SECONDS = 6.0
"""Short, so that a killed worker's application is free soon. A lease in use is as long as a request may take (30 s)."""

Key = tuple[str, str]
"""Namespace and name of a ConfigMap."""


@dataclass
class Ground:
    """Everything that runs, and what it must come to."""

    folder: Path
    planes: dict[str, ControlPlane]
    redis: RedisServer
    git: GitServer
    repository: BareRepository
    engine: RunningEngine
    opened: contextlib.ExitStack
    content: dict[str, dict[str, str]] = field(default_factory=dict)
    extra: dict[str, bytes] = field(default_factory=dict)
    """More files of the next commits."""
    turn: int = 0

    # --- Git and the catalogue ---------------------------------------------------------------------------------------
    @staticmethod
    def cluster_of(app: str) -> str:
        return CLUSTERS[int(app.rpartition("-")[2]) % 2]

    def change_everything(self) -> str:
        """A commit that gives every object another value."""
        self.turn += 1
        for app, objects in self.content.items():
            self.content[app] = dict.fromkeys(objects, f"{self.turn}")
        return self.push()

    def push(self) -> str:
        files: dict[str, Any] = {"README": b"the fleet", **self.extra}
        for app, objects in self.content.items():
            for name, value in objects.items():
                body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"v": value}}
                files[f"apps/{app}/{name}.yaml"] = yaml.safe_dump(body).encode()
        return self.repository.commit(files)

    def declare(self, *more: dict[str, Any]) -> None:
        documents = [application(app, self.cluster_of(app), self.git.url("fleet.git")) for app in self.content]
        part = self.folder / "apps.part"
        part.write_text(yaml.safe_dump_all([*documents, *more]))
        part.replace(self.folder / "catalogue" / "apps.yaml")

    # --- what there is -----------------------------------------------------------------------------------------------
    def expected(self, cluster: str) -> dict[Key, str]:
        return {
            (app, name): value
            for app, objects in self.content.items()
            if self.cluster_of(app) == cluster
            for name, value in objects.items()
        }

    def live(self, cluster: str) -> dict[Key, str]:
        """Every ConfigMap that carries an application's mark."""
        items = self.call(cluster, "GET", f"/api/v1/configmaps?labelSelector={PART_OF}&limit=5000")["items"]
        return {(item["metadata"]["namespace"], item["metadata"]["name"]): item["data"]["v"] for item in items}

    def call(self, cluster: str, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.planes[cluster].call(method, path, body, timeout=30)
        assert status < 300, (status, answer)
        return answer

    def right(self, *clusters: str) -> bool:
        return all(self.live(name) == self.expected(name) for name in clusters or CLUSTERS)

    def converge(self, what: str, *clusters: str, seconds: float = 150.0) -> float:
        """Wait until the clusters are what Git says; the seconds it took."""
        try:
            return until(lambda: self.right(*clusters), seconds, what)
        except TimeoutError as error:
            raise AssertionError(f"{error}; {self.difference()}") from None

    def difference(self) -> str:
        lines = []
        for cluster in CLUSTERS:
            live, expected = self.live(cluster), self.expected(cluster)
            wrong = sorted(key for key in live.keys() | expected.keys() if live.get(key) != expected.get(key))
            apps = sorted({key[0] for key in wrong})
            said = "; ".join(f"{app}: {self.status(app).message[:120]}" for app in apps[:3] if app in self.content)
            lines.append(f"{cluster}: {len(wrong)} objects differ, of {apps[:5]} ({said})")
        return "\n".join(lines)

    def record(self, app: str) -> dict[str, Any] | None:
        path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{record_name(app_id(app))}"
        status, answer = self.planes[self.cluster_of(app)].call("GET", path)
        return json.loads(answer["data"][DATA_KEY]) if status == 200 else None

    def orphans(self) -> list[str]:
        """Objects with an application's mark that its record does not list."""
        found = []
        for app in self.content:
            record = self.record(app)
            listed = {(row[2], row[3]) for row in record["inventory"]} if record else set()
            path = f"/api/v1/configmaps?labelSelector={PART_OF}%3D{applyset_id(app_id(app))}"
            for item in self.call(self.cluster_of(app), "GET", path)["items"]:
                key = (item["metadata"]["namespace"], item["metadata"]["name"])
                if key not in listed:
                    found.append("/".join(key))
        return found

    def deletes(self) -> list[str]:
        """Every object that the engine has asked to delete so far. The log is written in batches of a second."""
        time.sleep(1.5)
        found = []
        for plane in self.planes.values():
            with (plane.folder / "audit.log").open() as lines:
                events = [json.loads(line) for line in lines]
            found += [event["requestURI"] for event in events if event["verb"] == "delete"]
        return found

    def status(self, app: str) -> Status:
        status = open_state(self.engine.settings).status(app_id(app))
        assert status is not None, app
        return status

    # --- processes ---------------------------------------------------------------------------------------------------
    def kill(self, name: str) -> None:
        child = self.engine.children[name]
        child.signal(signal.SIGKILL)
        assert child.wait(10) is not None

    def start(self, name: str, like: str = "", **settings: str) -> None:
        """Start a process of the engine (again), as a supervisor does; `settings` are variables of its own."""
        argv = commands(self.engine.settings, 2)[like or name]
        child = Child.spawn(
            argv,
            name=name,
            log=self.engine.logs / f"{name}.log",
            env={**self.engine.environment, **settings},
            cwd=self.folder,
        )
        self.engine.children[name] = self.opened.enter_context(child)

    def restart_redis(self) -> None:
        """Start the killed Redis again on what its folder holds."""
        ended = self.redis.child
        child = self.opened.enter_context(Child.spawn(ended.argv, name="redis-server", log=ended.log))
        self.redis = RedisServer(self.redis.url, self.redis.socket, child)
        until(self._redis_answers, 30, "Redis")

    def _redis_answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False

    def client(self) -> Redis[bytes]:
        return Redis.from_url(self.redis.url)


def app_id(app: str) -> str:
    return f"application/argocd/{app}"


def application(app: str, cluster: str, url: str, *, path: str = "", namespace: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": app, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": path or f"apps/{app}", "targetRevision": "main"},
            "destination": {"name": cluster, "namespace": namespace or app},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }


def until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until the condition held."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - start


@contextlib.contextmanager
def running_ground(folder: Path) -> Iterator[Ground]:
    """Everything started and in sync."""
    repository = BareRepository(folder / "git" / "fleet.git")
    (folder / "catalogue").mkdir()
    tokens = [StaticToken(TOKEN, AUDITED, ("system:masters",))]
    with contextlib.ExitStack() as opened:
        planes = opened.enter_context(control_planes(CLUSTERS, state=folder / "planes", tokens=tokens, audit=True))
        server = opened.enter_context(embedded_redis(folder / "redis"))
        git = opened.enter_context(git_server(folder / "git"))
        settings = Settings(
            redis_url=server.url,
            catalogue=(str(folder / "catalogue"),),
            kubeconfig=str(folder / "kubeconfig"),
            git_schemes=("http", "https"),
            state=str(folder / "state"),
            web_address=f"127.0.0.1:{free_port()}",
            catalogue_interval=1.0,
            argocd_interval=POLL_SECONDS,
            argocd_jitter=0.3,
            lease=LEASE_SECONDS,
            loopback=True,
        )
        named = {plane.name: plane for plane in planes}
        engine = opened.enter_context(running_engine(write_settings(settings, named), folder / "logs"))
        ground = Ground(folder, named, server, git, repository, engine, opened)
        ground.content = {f"app-{number}": dict.fromkeys("abcd", "0") for number in range(SIZE)}
        ground.content[BIG] = {f"c{number}": "0" for number in range(60)}
        for app in ground.content:
            ground.call(ground.cluster_of(app), "POST", "/api/v1/namespaces", {"metadata": {"name": app}})
        ground.push()
        ground.declare()
        ground.converge("the first sync", seconds=120)
        yield ground


def write_settings(settings: Settings, planes: dict[str, ControlPlane], **tokens: str) -> Settings:
    """Write the kubeconfig: a context per cluster, with its token."""
    parts = [plane.kubeconfig_for(tokens.get(name, TOKEN)) for name, plane in planes.items()]
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": CLUSTERS[0]}
    for key in ("clusters", "users", "contexts"):
        merged[key] = [entry for part in parts for entry in part[key]]
    write_config(Path(settings.kubeconfig), merged)
    return settings
