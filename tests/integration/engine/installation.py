"""A whole installation for tests: engine processes, Redis, a Git server, clusters, a catalogue and Secrets."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from gitops_workers.core.documents.kinds import REQUEST
from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.request import Request
from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.local.control_planes import ControlPlanes
from gitops_workers.local.git_server import GitServer, git_server
from gitops_workers.local.kube_programs import write_config
from gitops_workers.local.redis_server import RedisServer, embedded_redis
from gitops_workers.ports import Queue, State, Urgency
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_queue, open_state
from tests.servers.engine import RunningEngine, free_port, running_engine
from tests.servers.git_repository import BareRepository

PATIENCE = 60.0
"""Seconds after which a system counts as broken; no test promises a time."""


@dataclass(slots=True)
class Repository:
    """A bare repository and the files of its newest commit on main."""

    bare: BareRepository
    url: str
    files: dict[str, bytes] = field(default_factory=dict)

    def push(self, changes: Mapping[str, str | bytes | None], *, at: int = 0) -> str:
        """Change some files (None removes one, or a folder ending in `/`); the commit's id."""
        for path, content in changes.items():
            for old in [old for old in self.files if old == path or (path.endswith("/") and old.startswith(path))]:
                del self.files[old]
            if content is not None:
                self.files[path] = content.encode() if isinstance(content, str) else content
        return self.bare.commit(self.files, at=at)


@dataclass(slots=True)
class Installation:
    """Everything that runs, and how to look at it."""

    folder: Path
    planes: ControlPlanes
    redis: RedisServer
    git: GitServer
    engine: RunningEngine
    state: State
    queue: Queue
    stack: ExitStack
    space: str
    """A namespace of this installation's own, in every cluster; also the prefix of its applications' names."""

    @property
    def east(self) -> ControlPlane:
        """The cluster most tests use."""
        return self.planes.named("east")

    def stop(self) -> None:
        """End the engine's processes; Redis, Git and the clusters stay."""
        for child in self.engine.children.values():
            child.terminate()

    def start(self) -> None:
        """Start the engine's processes again, with logs of their own."""
        logs = self.folder / f"logs-{time.monotonic_ns()}"
        self.engine = self.stack.enter_context(running_engine(self.engine.settings, logs))

    def repository(self, name: str) -> Repository:
        """A new, empty repository on the Git server."""
        return Repository(BareRepository(self.git.root / name), self.git.url(name))

    def declare(self, file: str, *documents: Mapping[str, Any] | str) -> None:
        """Write one file of the catalogue directory, in one step."""
        publish(self.folder / "catalogue" / file, *documents)

    def name(self, short: str) -> str:
        """An application's name here."""
        return f"{self.space}-{short}"

    def argo(self, short: str, url: str, path: str, **spec: Any) -> dict[str, Any]:
        """An Argo CD Application in this installation: automated, pruning, healing, unless `spec` says otherwise."""
        source = {"repoURL": url, "path": path, "targetRevision": "main", **spec.pop("source", {})}
        policy = {"automated": {"prune": True, "selfHeal": True}, **spec.pop("syncPolicy", {})}
        destination = {"name": "east", "namespace": self.space, **spec.pop("destination", {})}
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": self.name(short), "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {key: value for key, value in source.items() if value is not None},
                "destination": destination,
                "syncPolicy": {key: value for key, value in policy.items() if value is not None},
                **spec,
            },
        }

    def app(self, short: str, kind: str = "application") -> str:
        """The id of an application declared by `argo`, or of a Kustomization."""
        return f"{kind}/{'argocd' if kind == 'application' else 'flux-system'}/{self.name(short)}"

    def status(self, app: str) -> Status | None:
        """What is shown of an application."""
        return self.state.status(app)

    def until_status(self, app: str, condition: Callable[[Status], object], seconds: float = PATIENCE) -> Status:
        """Wait for what is shown to be so; fails with what is shown instead."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.state.status(app)
            if status is not None and condition(status):
                return status
            assert time.monotonic() < deadline, f"{app} stays {status}\n{self.log_end()}"
            time.sleep(0.1)

    def until_synced(self, app: str, commit: str = "", seconds: float = PATIENCE) -> Status:
        """Wait until an application is in sync, at this commit if one is given, and nothing runs."""
        return self.until_status(
            app,
            lambda status: (
                status.sync is SyncStatus.SYNCED
                and commit in ("", status.revision)
                and (status.operation is None or status.operation.phase is Phase.SUCCEEDED)
            ),
            seconds,
        )

    def live(self, kind: str, name: str, *, plane: ControlPlane | None = None, space: str = "") -> Any:
        """An object of the core API, by its plural; None when there is none."""
        path = f"/api/v1/namespaces/{space or self.space}/{kind}/{name}"
        status, answer = (plane or self.east).call("GET", path)
        assert status in (200, 404), answer
        return answer if status == 200 else None

    def value(self, name: str, key: str = "v", *, space: str = "") -> str | None:
        """A value of a ConfigMap; None when there is no such ConfigMap."""
        found = self.live("configmaps", name, space=space)
        return None if found is None else found.get("data", {}).get(key)

    def ask(self, app: str, *, prune: bool = False) -> None:
        """What `gitops-workers app sync` does."""
        self.state.save(REQUEST, app, Request(uuid.uuid4().hex, "ann", prune=prune))
        self.queue.request(app, "sync asked by ann", Urgency.MANUAL)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait until the answer is true and return it."""
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            assert time.monotonic() < deadline, f"{what}: it did not happen\n{self.log_end()}"
            time.sleep(0.1)
        return answer

    def logs(self) -> str:
        """All that the engine's processes have printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("logs*/*.log")))

    def log_end(self) -> str:
        """The last lines of every worker, for a failing test."""
        return "\n".join(child.tail(8) for name, child in self.engine.children.items() if name != "web")


def publish(path: Path, *documents: Mapping[str, Any] | str) -> None:
    """Write a file of manifests so that nobody reads half of it."""
    parts = [item if isinstance(item, str) else yaml.safe_dump(dict(item)) for item in documents]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text("---\n".join(parts))
    part.replace(path)


def write_contexts(path: Path, contexts: Mapping[str, tuple[ControlPlane, str]]) -> Path:
    """A kubeconfig with a context per name: which plane, and with which token. The first is current."""
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "current-context": next(iter(contexts))}
    for name, (plane, token) in contexts.items():
        part = plane.kubeconfig_for(token)
        for key in ("clusters", "users"):
            merged.setdefault(key, []).append({**part[key][0], "name": name})
        merged.setdefault("contexts", []).append({"name": name, "context": {"cluster": name, "user": name}})
    return write_config(path, merged)


@contextmanager
def installation(
    folder: Path,
    planes: ControlPlanes,
    *,
    contexts: Mapping[str, tuple[ControlPlane, str]] | None = None,
    catalogues: tuple[str, ...] = (),
    credential: tuple[str, str] | None = None,
    **settings: Any,
) -> Iterator[Installation]:
    """Start it all; `catalogues` are added to the directory, with `{git}` for the Git server's URL.

    `credential` is what the Git server asks for.
    """
    for name in ("catalogue", "secrets", "repositories"):
        (folder / name).mkdir(parents=True)
    space = f"e{uuid.uuid4().hex[:8]}"
    known = dict(contexts or {})
    for plane in (planes.named("east"), planes.named("west")):
        known.setdefault(plane.name, (plane, plane.token))
        _make_namespace(plane, space)
    user, password = credential or (None, None)
    with ExitStack() as stack:
        redis = stack.enter_context(embedded_redis(folder / "redis"))
        git = stack.enter_context(git_server(folder / "repositories", user=user, password=password))
        chosen = Settings(
            **{
                "redis_url": redis.url,
                "catalogue": (str(folder / "catalogue"), *(text.format(git=git.base_url) for text in catalogues)),
                "kubeconfig": str(write_contexts(folder / "kubeconfig", known)),
                "in_cluster": "east",
                "secrets": str(folder / "secrets"),
                "git_schemes": ("http", "https", "ssh", "file"),
                "state": str(folder / "state"),
                "web_address": f"127.0.0.1:{free_port()}",
                "catalogue_interval": 1.0,
                "argocd_interval": 2.0,
                "argocd_jitter": 0.5,
                "loopback": True,
                **settings,
            }
        )
        engine = stack.enter_context(running_engine(chosen, folder / "logs"))
        made = Installation(folder, planes, redis, git, engine, open_state(chosen), open_queue(chosen), stack, space)
        try:
            yield made
        finally:
            for plane in (planes.named("east"), planes.named("west")):
                with contextlib.suppress(OSError):
                    plane.call("DELETE", f"/api/v1/namespaces/{space}")


def answers(site: Installation) -> bool:
    """Whether the web process is ready."""
    try:
        return httpx.get(f"{site.engine.web}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def service_account(plane: ControlPlane, space: str, name: str, *, role: str = "") -> str:
    """A token of a new service account, bound to a ClusterRole if one is named."""
    body: dict[str, Any] = {"metadata": {"name": name}}
    status, answer = plane.call("POST", f"/api/v1/namespaces/{space}/serviceaccounts", body)
    assert status == 201, answer
    if role:
        bind(plane, space, name, role)
    path = f"/api/v1/namespaces/{space}/serviceaccounts/{name}/token"
    status, answer = plane.call("POST", path, {"spec": {"expirationSeconds": 3600}})
    assert status == 201, answer
    return str(answer["status"]["token"])


BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


def bind(plane: ControlPlane, space: str, name: str, role: str) -> None:
    """Give a service account a ClusterRole; the binding is named `<namespace>-<account>`."""
    body = {
        "metadata": {"name": f"{space}-{name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space}],
    }
    status, answer = plane.call("POST", BINDINGS, body)
    assert status == 201, answer


def config_map(name: str, value: str = "1", **metadata: Any) -> str:
    """A ConfigMap's manifest."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"v": value}}
    return yaml.safe_dump(body)


def lamps(group: str) -> tuple[str, str]:
    """The definition of the kind Lamp in a group of a test's own, and the lamp `desk`."""
    definition = f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: lamps.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Lamp, plural: lamps, singular: lamp, listKind: LampList}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"""
    return definition, f"apiVersion: {group}/v1\nkind: Lamp\nmetadata: {{name: desk}}\nspec: {{lit: true}}\n"


def secret(name: str, namespace: str, labels: Mapping[str, str] | None = None, /, **data: str) -> dict[str, Any]:
    """A Secret's manifest."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def push_event(url: str) -> bytes:
    """The body of a GitHub push event."""
    payload = {
        "ref": "refs/heads/main",
        "after": "1" * 40,
        "repository": {"clone_url": url, "html_url": url, "default_branch": "main"},
        "commits": [],
    }
    return json.dumps(payload).encode()


def _make_namespace(plane: ControlPlane, name: str) -> None:
    status, answer = plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert status == 201, answer
