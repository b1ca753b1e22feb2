"""Whose an object is, and whose a field: no two applications fight, an autoscaler keeps what Git leaves to it."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml

from tests.faults.conftest import Experiment
from tests.faults.ground import POLL_SECONDS, Ground, application, until

pytestmark = pytest.mark.timeout(300)
ROUNDS = 10
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "registry.example/web:1"}]},
        },
    },
}


def test_f32_two_applications_claim_one_object(ground: Ground, experiment: Experiment) -> None:
    """`rival` declares ConfigMap a of app-1 with another value, and an object of its own."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"v": "rival"}}
    own = {**body, "metadata": {"name": "rival"}}
    ground.extra = {"rival/a.yaml": yaml.safe_dump(body).encode(), "rival/own.yaml": yaml.safe_dump(own).encode()}
    ground.push()
    place = "/api/v1/namespaces/app-1/configmaps"
    before = ground.call("west", "GET", f"{place}/a")["metadata"]["resourceVersion"]
    ground.declare(application("rival", "west", ground.git.url("fleet.git"), path="rival", namespace="app-1"))
    until(lambda: "belongs to" in _message(ground), 60, "the refusal")
    time.sleep(ROUNDS * POLL_SECONDS)
    message = ground.status("rival").message
    assert "application/argocd/app-1" in message
    assert ground.call("west", "GET", f"{place}/a")["metadata"]["resourceVersion"] == before, "a write war"
    assert ground.right(), "the second application wrote nothing, the first is unharmed"
    assert ground.status("app-1").sync == "Synced"
    ground.extra = {}
    ground.declare()
    ground.push()
    experiment.detail = f"{ROUNDS} rounds without a write; said: {message[:90]}"


def _message(ground: Ground) -> str:
    try:
        return ground.status("rival").message
    except AssertionError:
        return ""


def _going(answer: tuple[int, Any]) -> bool:
    """Deleted, or waiting for the garbage collector that this control plane does not have."""
    status, body = answer
    return status == 404 or "deletionTimestamp" in body["metadata"]


def test_f33_an_autoscaler_owns_what_git_leaves_out(ground: Ground, experiment: Experiment) -> None:
    place = "/apis/apps/v1/namespaces/app-2/deployments/web"
    ground.extra = {"apps/app-2/web.yaml": yaml.safe_dump(DEPLOYMENT).encode()}
    ground.push()
    until(lambda: ground.planes["east"].call("GET", place)[0] == 200, 60, "the Deployment")
    ground.call("east", "PATCH", f"{place}?fieldManager=autoscaler", {"spec": {"replicas": 5}})
    containers = [{"name": "web", "image": "registry.example/web:by-hand"}]
    edit = {"spec": {"template": {"spec": {"containers": containers}}}}
    ground.call("east", "PATCH", f"{place}?fieldManager=kubectl-edit", edit)

    def image() -> str:
        found = ground.call("east", "GET", place)
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    seconds = until(lambda: image() == "registry.example/web:1", 60, "the image of Git")
    for _ in range(ROUNDS):
        time.sleep(POLL_SECONDS)
        assert ground.call("east", "GET", place)["spec"]["replicas"] == 5
    assert ground.status("app-2").sync == "Synced"
    ground.extra = {}
    ground.push()
    until(lambda: _going(ground.planes["east"].call("GET", place)), 60, "the prune")
    experiment.detail = f"image restored in {seconds:.1f} s; replicas 5 for {ROUNDS} rounds"
