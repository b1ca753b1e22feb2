"""Local control planes: separate clusters, restartable alone, and nothing left behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from gitops_workers import toolchain
from gitops_workers.local.child import ChildExited
from gitops_workers.local.control_planes import control_planes, write_kubeconfig
from gitops_workers.local.kube_programs import StaticToken

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
STRANGER = StaticToken("stranger-token-for-tests", "stranger", ("guests",))


def configmap(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@pytest.fixture(scope="module")
def planes(require, tmp_path_factory):
    require(lambda: toolchain.tool("controlplane"))
    names = ["east", "west"]
    with control_planes(names, state=tmp_path_factory.mktemp("planes"), controllers=True, tokens=[STRANGER]) as running:
        yield running


def test_the_version_is_the_pinned_one(planes):
    assert planes[0].call("GET", "/version")[1]["gitVersion"] == f"v{toolchain.pinned('controlplane')}"


def test_two_planes_on_one_etcd_are_two_clusters(planes):
    east, west = planes
    assert east.call("POST", CONFIGMAPS, configmap("only-east"))[0] == 201
    assert east.call("GET", f"{CONFIGMAPS}/only-east")[0] == 200
    assert west.call("GET", f"{CONFIGMAPS}/only-east")[0] == 404


def test_a_token_of_one_plane_is_nobody_in_the_other(planes):
    east, west = planes
    assert west.call("GET", CONFIGMAPS, token=east.token)[0] == 401


def test_an_extra_token_is_a_user_without_rights(planes):
    status, answer = planes[0].call("GET", CONFIGMAPS, token=STRANGER.token)
    assert status == 403
    assert STRANGER.user in answer["message"]


def test_the_default_namespace_is_ready_for_pods(planes):
    for plane in planes:
        assert plane.call("GET", f"{CONFIGMAPS}/kube-root-ca.crt")[1]["data"]["ca.crt"] == plane.ca_pem
        assert plane.call("GET", "/api/v1/namespaces/default/serviceaccounts/default")[0] == 200


def test_controllers_work(planes):
    plane = planes.named("west")
    plane.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}})
    plane.call("DELETE", "/api/v1/namespaces/brief")
    deadline = time.monotonic() + 60
    while plane.call("GET", "/api/v1/namespaces/brief")[0] != 404:
        assert time.monotonic() < deadline, "no controller finalizes the namespace"
        time.sleep(0.1)


def test_the_kubeconfig_has_a_context_per_plane_and_is_private(planes, tmp_path):
    path = write_kubeconfig(planes, tmp_path / "kubeconfig")
    config = yaml.safe_load(path.read_text())
    assert config["current-context"] == "east"
    assert [context["name"] for context in config["contexts"]] == ["east", "west"]
    assert {user["name"]: user["user"]["token"] for user in config["users"]} == {p.name: p.token for p in planes}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_token_is_an_argument_of_a_process(planes):
    for plane in planes:
        for child in plane.children.values():
            assert plane.token.encode() not in Path(f"/proc/{child.pid}/cmdline").read_bytes()


def test_a_stopped_plane_refuses_and_comes_back_with_its_data(planes):
    east, west = planes
    east.call("POST", CONFIGMAPS, configmap("kept"))
    server = east.server
    east.stop()
    with pytest.raises(ConnectionRefusedError):
        east.call("GET", CONFIGMAPS)
    assert west.call("GET", CONFIGMAPS)[0] == 200
    east.restart()
    assert east.server == server
    assert east.call("GET", f"{CONFIGMAPS}/kept")[0] == 200


def test_a_frozen_plane_hangs_alone_and_goes_on(planes):
    east, west = planes
    east.freeze()
    try:
        with pytest.raises(TimeoutError):
            east.call("GET", CONFIGMAPS, timeout=1)
        assert west.call("GET", CONFIGMAPS)[0] == 200
    finally:
        east.thaw()
    assert east.call("GET", CONFIGMAPS)[0] == 200


def test_an_ended_server_is_told_with_its_log(planes):
    east = planes[0]
    os.kill(east.children["kube-controller-manager"].pid, signal.SIGKILL)
    east.children["kube-controller-manager"].wait()
    with pytest.raises(ChildExited, match=r"kube-controller-manager of east was ended by signal 9(.|\n)*kube-con"):
        east.check()
    east.restart()
    east.check()


def test_on_fake_nodes_deployments_become_ready_and_jobs_complete(require, tmp_path):
    require(lambda: toolchain.tool("controlplane"))
    require(lambda: toolchain.tool("kwok"))
    pod = {"containers": [{"name": "main", "image": "example.org/main"}]}
    labels = {"matchLabels": {"app": "web"}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    deployment = {"metadata": {"name": "web"}, "spec": {"replicas": 2, "selector": labels, "template": template}}
    job = {"metadata": {"name": "once"}, "spec": {"template": {"spec": pod | {"restartPolicy": "Never"}}}}
    with control_planes(["nodes"], state=tmp_path, nodes=1) as (plane,):
        deployments, jobs = (
            f"/apis/{group}/v1/namespaces/default/{kind}"
            for group, kind in (("apps", "deployments"), ("batch", "jobs"))
        )
        assert plane.call("POST", deployments, deployment)[0] == 201
        assert plane.call("POST", jobs, job)[0] == 201
        deadline = time.monotonic() + 60
        while True:
            ready = plane.call("GET", f"{deployments}/web")[1]["status"].get("readyReplicas")
            done = plane.call("GET", f"{jobs}/once")[1]["status"].get("succeeded")
            if (ready, done) == (2, 1):
                break
            assert time.monotonic() < deadline, (ready, done)
            time.sleep(0.1)


def test_the_command_runs_planes_until_it_is_told_to_end(require, tmp_path):
    require(lambda: toolchain.tool("controlplane"))
    config, state = tmp_path / "kubeconfig", tmp_path / "state"
    command = [sys.executable, "-m", "gitops_workers.local.control_planes", "--count", "1", "--no-controllers"]
    command += ["--kubeconfig", str(config), "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        lines = [running.stdout.readline(), running.stdout.readline()]
        assert "ready" in lines[1]
        assert yaml.safe_load(config.read_text())["current-context"] == "cluster-1"
        running.terminate()
        assert running.wait(60) == 0
    processes = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(state).encode() in command_line for command_line in processes)
