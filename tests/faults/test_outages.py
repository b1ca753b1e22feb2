"""A cluster, the Git server, a credential: what is cut off waits and says so, everything else goes on."""

from __future__ import annotations

import signal
import time

import pytest

from gitops_workers.core.scheduling.lanes import host_lane
from gitops_workers.local.git_server import git_server
from gitops_workers.local.kube_programs import AUDITED, StaticToken, write_tokens
from gitops_workers.ports import Urgency
from gitops_workers.wiring.stores import open_queue, open_state
from tests.faults.conftest import Experiment
from tests.faults.ground import SECOND_TOKEN, Ground, app_id, application, until, write_settings
from tests.servers.silent_host import silent_host

pytestmark = pytest.mark.timeout(300)


def test_f18_one_cluster_is_frozen(ground: Ground, experiment: Experiment) -> None:
    for name in ("worker-0", "worker-1"):
        ground.kill(name)
        ground.start(name, GITOPS_LEASE="30")
    ground.change_everything()
    usual = ground.converge("with both clusters")
    ground.planes["east"].freeze()
    try:
        times = []
        for _ in range(3):
            ground.change_everything()
            times.append(ground.converge("the other cluster", "west"))
        with ground.client() as client:
            opened = until(
                lambda: int(client.hget("gitops:breaker:east", "failures") or 0) >= 3, 120, "the breaker of east"
            )
        until(lambda: "cluster east" in ground.status("app-0").message, 60, "the status that names the cluster")
    finally:
        ground.planes["east"].thaw()
    seconds = ground.converge("the frozen cluster", seconds=200)
    for name in ("worker-0", "worker-1"):
        ground.kill(name)
        ground.start(name)
    experiment.detail = (
        f"west: {usual:.1f} s before, {', '.join(f'{s:.1f}' for s in times)} s beside the frozen one; "
        f"breaker open {opened:.1f} s later; east in sync {seconds:.1f} s after the thaw"
    )


def test_f18_an_api_server_is_killed_for_a_moment_during_a_push_to_more_than_are_admitted(
    ground: Ground, experiment: Experiment
) -> None:
    """The kind: more applications due than admitted, so that the breaker's probe could wait behind them."""
    for name in ("worker-0", "worker-1", "beat"):
        ground.kill(name)
        ground.start(name, GITOPS_ADMISSION="4")
    many = {f"more-{number * 2}": dict.fromkeys("ab", "0") for number in range(60)}
    for app in many:
        ground.call("east", "POST", "/api/v1/namespaces", {"metadata": {"name": app}})
    ground.content.update(many)
    try:
        ground.push()
        ground.declare()
        ground.converge("sixty more applications")
        ground.change_everything()
        server = ground.planes["east"].children["kube-apiserver"]
        server.signal(signal.SIGKILL)
        server.wait(10)
        time.sleep(5)
        ground.planes["east"].restart()
        seconds = ground.converge("everybody has the push", seconds=90)
    finally:
        for app in many:
            del ground.content[app]
        ground.declare()
        state = open_state(ground.engine.settings)
        until(lambda: all(state.status(app_id(app)) is None for app in many), 60, "they are forgotten")
        ground.push()
        for app in many:
            ground.call("east", "DELETE", f"/api/v1/namespaces/{app}/configmaps")
        for name in ("worker-0", "worker-1", "beat"):
            ground.kill(name)
            ground.start(name)
    experiment.detail = (
        f"in sync {seconds:.1f} s after the server answered again, 72 applications, 4 admitted at a time"
    )


def test_f24_one_git_host_takes_connections_and_never_answers(ground: Ground, experiment: Experiment) -> None:
    """Forty applications on it, and a human who asks for a sync of each: polls and reconciles both wait for it."""
    silent = [f"silent-{number}" for number in range(40)]
    ground.change_everything()
    alone = ground.converge("without it")
    queue, state = open_queue(ground.engine.settings), open_state(ground.engine.settings)
    with silent_host() as port:
        host = f"http://127.0.0.1:{port}"
        lane = host_lane(host)
        ground.declare(*(application(app, "west", f"{host}/{app}.git", path=".") for app in silent))
        until(lambda: queue.cluster_loads([lane])[lane].in_flight > 0, 60, "polls that wait")
        for app in silent:
            queue.request(app_id(app), "asked by hand", Urgency.MANUAL)
        beside = []
        for _ in range(10):
            ground.change_everything()
            beside.append(ground.converge("beside it", seconds=15))
            time.sleep(2)
        until(lambda: host in ground.status(silent[0]).message, 120, "the status that names the host")
        ground.declare()
        until(lambda: all(state.status(app_id(app)) is None for app in silent), 60, "they are forgotten")
    experiment.detail = (
        f"everything pushed is applied in {alone:.1f} s alone, in {max(beside):.1f} s at most beside forty "
        "applications whose Git host never answers"
    )


def test_f24_the_git_server_is_away(ground: Ground, experiment: Experiment) -> None:
    seen = len(ground.deletes())
    port = ground.git.port
    ground.git.close()
    try:
        until(lambda: ground.status("app-3").sync == "Unknown", 60, "the status that says so")
        said = ground.status("app-3").message
        assert ground.right()
    finally:
        ground.git = ground.opened.enter_context(git_server(ground.folder / "git", port=port))
    ground.change_everything()
    seconds = ground.converge("Git is back")
    until(lambda: ground.status("app-3").sync == "Synced", 60, "the status forgets the outage")
    assert ground.deletes()[seen:] == []
    experiment.detail = f"said: {said[:80]}; in sync {seconds:.1f} s after it was back"


def test_f35_the_token_rotates(ground: Ground, experiment: Experiment) -> None:
    plane = ground.planes["west"]
    plane.stop()
    admin = StaticToken(plane.token, "admin", ("system:masters",))
    write_tokens(plane.folder / "tokens.csv", [admin, StaticToken(SECOND_TOKEN, AUDITED, ("system:masters",))])
    plane.restart()
    ground.change_everything()
    ground.converge("the other cluster", "east")
    until(lambda: "401" in ground.status("app-1").message, 90, "the status that names the credential")
    assert not ground.right("west")
    start = time.monotonic()
    write_settings(ground.engine.settings, ground.planes, west=SECOND_TOKEN)
    ground.converge("with the new token")
    experiment.detail = (
        f"the new token was in use {time.monotonic() - start:.1f} s after it was written, without a restart"
    )
