"""What a step of the story can reach: clusters, repositories, the webhook, and the audience."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_workers.core.errors import Refused, Retry
from gitops_workers.core.status.rows import Status
from gitops_workers.local.control_planes import ControlPlanes
from gitops_workers.local.demo.repositories import PUBLIC, Repository
from gitops_workers.local.stack import Stack
from gitops_workers.ports import State

POLL_SECONDS = 0.1
TEND_SECONDS = 1.0
PATIENCE = 60.0
"""Seconds for one thing to become true; it takes 1 to 10, more on a machine that does something else too."""

Json = Any


class DidNotHappen(Refused):
    """Something the story promised is not so at the API server."""


@dataclass(slots=True)
class Scene:
    """Everything that runs. `say` prints a line; `began` is when the demo began (monotonic)."""

    planes: ControlPlanes
    repositories: Mapping[str, Repository]
    stack: Stack
    state: State
    secret: bytes = field(repr=False)
    say: Callable[[str], None]
    began: float
    _tended: float = 0.0

    def read(self, cluster: str, path: str) -> Json | None:
        """An object as the API server of this cluster has it; None when it has none."""
        status, answer = self.planes.named(cluster).call("GET", path)
        return answer if status == http.HTTPStatus.OK else None

    def deployment(self, cluster: str, namespace: str, name: str) -> Json | None:
        """A Deployment."""
        return self.read(cluster, f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")

    def config(self, cluster: str, namespace: str, name: str) -> Json | None:
        """A ConfigMap."""
        return self.read(cluster, f"/api/v1/namespaces/{namespace}/configmaps/{name}")

    def change(self, cluster: str, path: str, patch: Json) -> None:
        """What somebody does by hand at the API server, past Git."""
        status, answer = self.planes.named(cluster).call("PATCH", path, patch)
        if status != http.HTTPStatus.OK:
            raise DidNotHappen(f"the hand-made change was refused by {cluster}: {answer}")

    def status(self, app: str) -> Status:
        """What the engine says of an application: for the audience, proof of nothing."""
        found = self.state.status(app)
        if found is None:
            raise DidNotHappen(f"{app} is not known to the engine")
        return found

    def until(self, what: str, holds: Callable[[], bool], patience: float = PATIENCE) -> float:
        """Wait until it holds and say so; returns the seconds it took. Raises DidNotHappen when it does not."""
        began = told = time.monotonic()
        while True:
            self._tend()
            try:
                if holds():
                    break
            except (OSError, http.client.HTTPException, Retry):
                pass  # a server that starts or restarts; it has until the end of our patience
            now = time.monotonic()
            if now - began > patience:
                raise DidNotHappen(f"not so after {patience:.0f} s: {what}")
            if now - told > 5.0:
                told = now
                self.say(f"      ... {now - began:.0f} s")
            time.sleep(POLL_SECONDS)
        took = time.monotonic() - began
        self.say(f"   ok {what} ({took:.1f} s)")
        return took

    def push_event(self, repository: str, ref: str, commit: str) -> None:
        """Send the webhook that GitHub sends after a push, signed with the secret that the engine knows."""
        body = json.dumps(
            {
                "ref": ref,
                "after": commit,
                "repository": {
                    "html_url": f"{PUBLIC}{repository}",
                    "clone_url": f"{PUBLIC}{repository}.git",
                    "default_branch": "main",
                },
                "commits": [],
            }
        ).encode()
        signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        connection = http.client.HTTPConnection(self.stack.settings.web_address, timeout=10)
        try:
            connection.request("POST", "/api/webhook", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK or not json.loads(text).get("accepted"):
            raise DidNotHappen(f"the webhook was not accepted: {answer.status} {text[:200]}")

    def page(self, url: str, path: str) -> str:
        """The body of a page of ours; empty when it is not served."""
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        return text if answer.status == http.HTTPStatus.OK else ""

    def _tend(self) -> None:
        if time.monotonic() - self._tended > TEND_SECONDS:
            self._tended = time.monotonic()
            self.stack.supervisor.tend()
