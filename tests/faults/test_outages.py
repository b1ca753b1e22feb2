"""A cluster, the Git server, a credential: what is cut off waits and says so, everything else goes on."""

from __future__ import annotations

import time

import pytest

from gitops_workers.local.git_server import git_server
from gitops_workers.local.kube_programs import AUDITED, StaticToken, write_tokens
from tests.faults.conftest import Experiment
from tests.faults.ground import SECOND_TOKEN, Ground, until, write_settings

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
