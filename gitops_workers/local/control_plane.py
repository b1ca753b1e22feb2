"""A real Kubernetes control plane on this machine, for the demo and the tests.

It is a kube-apiserver of its own (port, certificate, tokens, RBAC). There is no kubelet: with `nodes` a scheduler and
kwok play them, so that Deployments become ready and Jobs complete.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import secrets
import signal
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_workers import toolchain
from gitops_workers.local import fake_nodes, kube_programs
from gitops_workers.local.child import Child, await_ready
from gitops_workers.local.kube_programs import StaticToken

READY_SECONDS = 90.0
"""For one plane. It takes 3 s alone; a CI machine that compiles at the same time takes much longer."""

_GIVEN = ("configmaps/kube-root-ca.crt", "serviceaccounts/default")
"""What controllers put into every namespace; pods there are refused until both are there."""


class ControlPlane:
    """One cluster: an API server and what runs beside it."""

    def __init__(
        self,
        name: str,
        folder: Path,
        program: Path,
        etcd_url: str,
        tokens: Sequence[StaticToken],
        *,
        audit: bool = False,
    ) -> None:
        """Use `control_planes`; this writes the plane's files and takes its port, `start` starts it."""
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.token = secrets.token_urlsafe(24)
        self.tokens = tuple(tokens)
        self._program = program
        self._etcd_url = etcd_url
        self._extra = kube_programs.audit_flags(folder) if audit else []
        self._children: dict[str, Child] = {}
        # Bound, never listening: the port is ours from the choice to the end, also while the API server is stopped.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port.bind(("127.0.0.1", 0))
        admin = StaticToken(self.token, "admin", ("system:masters",))
        kube_programs.write_tokens(folder / "tokens.csv", [admin, *tokens])
        kube_programs.write_service_account_key(folder / "service-account.key")

    @property
    def port(self) -> int:
        """The API server's port on 127.0.0.1; the same after a restart."""
        return int(self._port.getsockname()[1])

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_pem(self) -> str:
        """The certificates to trust; the server makes them at its first start."""
        return (self.folder / "certs" / "apiserver.crt").read_text()

    @property
    def kubeconfig(self) -> dict[str, Any]:
        """A kubeconfig with this plane's administrator as the only context, everything inline."""
        return self.kubeconfig_for(self.token)

    def kubeconfig_for(self, token: str) -> dict[str, Any]:
        """Return the same with another of its tokens."""
        certificate = base64.b64encode(self.ca_pem.encode()).decode()
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": self.name, "cluster": {"server": self.server, "certificate-authority-data": certificate}}
            ],
            "users": [{"name": self.name, "user": {"token": token}}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": self.name}}],
            "current-context": self.name,
        }

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        timeout: float = 10.0,
        content_type: str = "",
    ) -> tuple[int, Any]:
        """Send one request as the administrator (or `token`); return the HTTP status and the JSON answer.

        A PATCH is a merge patch unless `content_type` says otherwise. Raises `OSError` or `ssl.SSLError` when the
        server does not answer.
        """
        context = ssl.create_default_context(cadata=self.ca_pem)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        kind = content_type or ("application/merge-patch+json" if method == "PATCH" else "application/json")
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": kind, "Accept": "application/json"}
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        json_like = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(text) if json_like else text.decode()

    def spawn(self) -> None:
        """Start the API server without waiting for it."""
        argv = kube_programs.apiserver(
            self._program, self.folder, port=self.port, etcd_url=self._etcd_url, prefix=f"/{self.name}"
        )
        self._run("kube-apiserver", [*argv, *self._extra])

    def finish(self, *, controllers: bool, nodes: int, stages: Path) -> None:
        """Wait until the API server serves, then start what runs beside it and wait for that."""
        self._await("kube-apiserver", lambda: self._answers("/readyz"))
        kube_programs.write_config(self.folder / "admin.kubeconfig", self.kubeconfig)
        if controllers or nodes:
            self._run("kube-controller-manager", kube_programs.controller_manager(self._program, self.folder))
        if nodes:
            self._run("kube-scheduler", kube_programs.scheduler(self._program, self.folder))
            self._run("kwok", kube_programs.kwok(toolchain.tool("kwok"), self.folder, stages))
            fake_nodes.create(self.call, nodes)
            self._await("kwok", lambda: fake_nodes.all_ready(self.call, nodes))
        if controllers or nodes:
            paths = [f"/api/v1/namespaces/default/{name}" for name in _GIVEN]
            self._await("kube-controller-manager", lambda: all(map(self._answers, paths)))

    @property
    def children(self) -> Mapping[str, Child]:
        """The programs that were started, by name ("kube-apiserver")."""
        return self._children

    def check(self) -> None:
        """Raise `ChildExited` when one of its programs has ended by itself."""
        for child in self._children.values():
            child.check()

    def stop(self) -> None:
        """End its programs; the port refuses connections, the data stays in etcd for `restart`."""
        for child in reversed(self._children.values()):
            child.signal(signal.SIGTERM)
        for child in reversed(self._children.values()):
            child.terminate()

    def restart(self) -> None:
        """Start what `stop` ended, with the same port, certificate and data, and wait until it serves."""
        for name, ended in list(self._children.items()):
            if not ended.alive:
                self._run(name, ended.argv)
                if name == "kube-apiserver":
                    self._await(name, lambda: self._answers("/readyz"))

    def freeze(self) -> None:
        """Stop its programs where they stand: connections are taken and never answered."""
        for child in self._children.values():
            child.freeze()

    def thaw(self) -> None:
        """Let frozen programs go on."""
        for child in self._children.values():
            child.thaw()

    def close(self) -> None:
        """End its programs and give the port back."""
        self.stop()
        self._port.close()

    def _run(self, name: str, argv: Sequence[str]) -> None:
        # An environment of its own: proxy settings and a user's kwok or kube configuration must not reach it.
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)}
        self._children[name] = Child.spawn(
            argv, name=f"{name} of {self.name}", log=self.folder / f"{name}.log", env=environment, cwd=self.folder
        )

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        await_ready(self._children[name], ready, timeout=READY_SECONDS)

    def _answers(self, path: str) -> bool:
        try:
            return self.call("GET", path, timeout=2.0)[0] == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False  # not there yet: no certificate file, no port, no handler
