"""The pipeline in this process over a real cluster whose Pods, Jobs and Deployments really progress.

Git, queue and state are in memory, so that a test says when time passes: `until` does what is due and
lets ten seconds of the queue's clock pass in one. A pod's label `plays` says what becomes of it (stages.yaml).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitops_workers.adapters.cluster.registry import ConfiguredClusters
from gitops_workers.core.model import AppId, Dialect, Phase, SyncStatus
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.core.status.rows import OperationView, Status
from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.ports import Closures, Renderer, Urgency
from tests.contract.cluster_grounds import access_of
from tests.unit.core.making import application
from tests.unit.pipeline.lab import Lab

PATIENCE = 60.0
"""Seconds after which a system counts as broken; no test promises a time."""
FASTER = 10.0

DEPLOYMENT = GroupKind("apps", "Deployment")
JOB = GroupKind("batch", "Job")
CONFIG_MAP = GroupKind("", "ConfigMap")


@dataclass(kw_only=True)
class Yard(Lab):
    """One application of this test's own, in a namespace of its own."""

    plane: ControlPlane
    space: str
    app: AppId = field(init=False, default="")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.now = time.time()
        access = access_of(self.plane, name="east")
        self.real = ConfiguredClusters([access], in_cluster="east")
        self.context = replace(self.context, clusters=self.real)

    def adopt(self, dialect: Dialect = Dialect.ARGOCD, *, interval: float = 60.0, **sync: Any) -> AppId:
        """Declare the application: automated, pruning and healing unless `sync` says otherwise."""
        chosen = {"prune": True, "self_heal": True, **sync}
        base = application(dialect, namespace=self.space, **chosen)
        app = replace(
            base,
            id=f"{base.id.rpartition('/')[0]}/{self.space}",
            source=replace(base.source, path="web"),
            schedule=replace(base.schedule, interval=interval),
        )
        self.applications[app.id] = app
        self.enroll()
        self.app = app.id
        return app.id

    def commit(self, *objects: Manifest) -> str:
        """Push these objects, and let the webhook say so."""
        return self._announced(self.push(*objects))

    def commit_files(self, files: Mapping[str, str]) -> str:
        """The same with files as they are, for a real renderer."""
        return self._announced(self.repository.commit({path: text.encode() for path, text in files.items()}))

    def _announced(self, commit: str) -> str:
        self.now += 1.0  # what was listed at this very moment would count as new enough
        self.queue.request_poll(repository_group(self.applications[self.app]), Urgency.WEBHOOK)
        return commit

    def render_with(self, closures: Closures, renderer: Renderer) -> None:
        """Render by other programs than the JSON reader."""
        self.context = replace(self.context, closures=closures, renderer=renderer)

    def get(self, kind: GroupKind, name: str, version: str = "") -> Manifest | None:
        """A live object of this namespace."""
        return self.real.open("east").get(ObjectKey(*kind, self.space, name), version)

    def there(self, kind: GroupKind, name: str) -> Manifest:
        """A live object that must be there."""
        found = self.get(kind, name)
        assert found is not None, f"{kind} {name} is not there"
        return found

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Let time pass and do what is due until the answer is true; returns it."""
        deadline = time.monotonic() + PATIENCE
        before = time.monotonic()
        while not (answer := condition()):
            assert time.monotonic() < deadline, (
                f"{what}: it did not happen; the application says {self.state.status(self.app)}"
            )
            time.sleep(0.05)
            passed, before = time.monotonic() - before, time.monotonic()
            self.now += passed * FASTER
            self.run()
        return answer

    def until_phase(self, phase: Phase) -> Status:
        """Let the operation come to this."""

        def reached() -> Status | None:
            status = self.state.status(self.app)
            operation = status.operation if status else None
            same = (
                operation and operation.phase is phase and operation.revision == self.repository.refs["refs/heads/main"]
            )
            return status if same else None

        found = self.until(reached, f"an operation that is {phase}")
        assert isinstance(found, Status)
        return found

    def until_synced(self) -> Status:
        """A sync of the newest commit that went well."""
        status = self.until_phase(Phase.SUCCEEDED)
        assert status.sync is SyncStatus.SYNCED, status
        return status

    def says(self, text: str) -> bool:
        """Whether the operation's message has this in it."""
        operation = self.status(self.app).operation
        return operation is not None and text in operation.message

    @property
    def operation(self) -> OperationView:
        """The last operation."""
        found = self.status(self.app).operation
        assert found is not None
        return found

    def pods(self, **labels: str) -> list[Manifest]:
        """The pods with these labels."""
        wanted = ",".join(f"{name}%3D{value}" for name, value in labels.items())
        status, answer = self.plane.call("GET", f"/api/v1/namespaces/{self.space}/pods?labelSelector={wanted}")
        assert status == 200, answer
        return list(answer["items"])

    def release(self, **labels: str) -> None:
        """Let the pods that hang go on."""

        def hanging() -> list[Manifest]:
            return [pod for pod in self.pods(**labels) if pod["status"].get("podIP")]

        for pod in self.until(hanging, "a pod"):
            path = f"/api/v1/namespaces/{self.space}/pods/{pod['metadata']['name']}"
            assert self.plane.call("PATCH", path, {"metadata": {"labels": {"plays": "released"}}})[0] == 200


def pod_template(name: str, plays: str = "", image: str = "registry.example/main:1", **spec: Any) -> dict[str, Any]:
    """The template of a Deployment's or a Job's pods."""
    labels = {"app": name} | ({"plays": plays} if plays else {})
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}], **spec}}


def deployment(name: str, plays: str = "", wave: int | None = None, **spec: Any) -> Manifest:
    """A Deployment of one pod."""
    image = spec.pop("image", "registry.example/main:1")
    body = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": pod_template(name, plays, image),
        **spec,
    }
    return _made("apps/v1", "Deployment", name, wave, spec=body)


def job(name: str, hook: str = "", policy: str = "", plays: str = "", wave: int | None = None, **spec: Any) -> Manifest:
    """A Job of one try; `hook` and `policy` are Argo CD's words."""
    image = spec.pop("image", "registry.example/main:1")
    body = {"backoffLimit": 0, "template": pod_template(name, plays, image, restartPolicy="Never"), **spec}
    marks = {"argocd.argoproj.io/hook": hook, "argocd.argoproj.io/hook-delete-policy": policy}
    return _made("batch/v1", "Job", name, wave, {key: value for key, value in marks.items() if value}, spec=body)


def config_map(name: str, wave: int | None = None, **data: str) -> Manifest:
    """A ConfigMap."""
    return _made("v1", "ConfigMap", name, wave, data=data)


def _made(
    api: str, kind: str, name: str, wave: int | None, annotations: dict[str, str] | None = None, **body: Any
) -> Manifest:
    marks = dict(annotations or {})
    if wave is not None:
        marks["argocd.argoproj.io/sync-wave"] = str(wave)
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "annotations": marks}, **body}
