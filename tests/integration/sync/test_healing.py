"""Hand-made changes, fights, retries and deadlines over a real API server."""

from __future__ import annotations

import pytest

from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.scheduling.poll_groups import cluster_group
from gitops_workers.core.status.listing import epoch
from gitops_workers.core.sync.sync_policy import Retry
from gitops_workers.core.text.timefmt import utc
from gitops_workers.ports import Urgency
from tests.integration.sync.admission import REASON, allow, in_force
from tests.integration.sync.yard import CONFIG_MAP, DEPLOYMENT, Yard, config_map, deployment, pod_template

DAY = 86_400.0


def meddle(yard: Yard, name: str = "a", value: str = "by hand") -> None:
    path = f"/api/v1/namespaces/{yard.space}/configmaps/{name}"
    assert yard.plane.call("PATCH", path, {"data": {"v": value}})[0] == 200


def value(yard: Yard, name: str = "a") -> str:
    return str(yard.there(CONFIG_MAP, name)["data"]["v"])


def seen(yard: Yard) -> None:
    """The cluster's poll comes by."""
    yard.queue.request_poll(cluster_group("east"), Urgency.POLL)
    yard.run()


def test_a_fight_is_healed_ever_more_slowly_and_the_status_says_so(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("a", v="1"))
    yard.until_synced()
    ends = [epoch(yard.operation.finished_at)]
    pauses: list[float] = []
    for _ in range(4):
        meddle(yard)
        seen(yard)
        yard.until(lambda: value(yard) == "1", "the heal")
        pauses.append(epoch(yard.operation.started_at) - ends[-1])
        ends.append(epoch(yard.operation.finished_at))
    assert all(found >= least for found, least in zip(pauses, (0.0, 2.0, 6.0, 18.0), strict=True)), pauses
    assert pauses[0] == pytest.approx(0.0), "the first change is undone at once"
    meddle(yard)
    seen(yard)
    status = yard.status(yard.app)
    assert status.sync is SyncStatus.OUT_OF_SYNC
    assert status.message.startswith(
        f"ConfigMap {yard.space}/a changed again in the cluster; healed 4 times, next at {utc(ends[-1] + 54.0)}."
    )

    yard.commit(config_map("a", v="2"))
    yard.until_synced()
    assert value(yard) == "2", "a commit is no fight"


@pytest.mark.parametrize("flush", [False, True])
def test_without_self_heal_a_change_is_shown_and_left_alone_also_when_redis_was_emptied(
    yard: Yard, flush: bool
) -> None:
    yard.adopt(self_heal=False)
    yard.commit(config_map("a", v="1"), config_map("b", v="1"))
    yard.until_synced()
    meddle(yard)
    if flush:
        yard.flush()
    else:
        seen(yard)
    left = f"ConfigMap {yard.space}/a changed in the cluster; selfHeal is off."
    yard.until(lambda: yard.status(yard.app).message == left, "the remark")
    assert yard.status(yard.app).sync is SyncStatus.OUT_OF_SYNC
    yard.run(300)
    assert value(yard) == "by hand"

    yard.commit(config_map("a", v="2"), config_map("b", v="1"))
    yard.until_synced()
    assert value(yard) == "2"


def pauses_between_tries(yard: Yard, number: int) -> list[float]:
    """What the next tries were planned for, as seconds from the one before."""
    found = {}
    for _ in range(100):
        status = yard.status(yard.app)
        found[status.next_due_at] = epoch(status.next_due_at) - epoch(status.last_checked_at)
        if len(found) == number:
            break
        yard.run(1.0)
    return list(found.values())


@pytest.mark.usefixtures("denying")
def test_what_is_refused_is_tried_again_for_ever_and_a_new_commit_does_not_wait(yard: Yard) -> None:
    yard.adopt(interval=DAY, retry=Retry(limit=2, first=5.0, factor=2.0, maximum=15.0))
    yard.until(lambda: in_force(yard), "the policy")
    yard.commit(config_map("a", v="forbidden"))
    yard.until(lambda: REASON in yard.status(yard.app).message, "the refusal")
    assert pauses_between_tries(yard, 5) == [5.0, 10.0, 15.0, 15.0, 15.0]

    yard.commit(config_map("a", v="1"))
    yard.run()
    assert value(yard) == "1", "not after the pause, but with the commit"
    yard.until_synced()

    yard.commit(config_map("a", v="forbidden"))
    yard.until(lambda: REASON in yard.status(yard.app).message, "the refusal")
    assert pauses_between_tries(yard, 1) == [5.0], "another commit begins anew"
    allow(yard)
    yard.until_synced()
    assert value(yard) == "forbidden", "the commit that was refused before goes through by itself"


def test_an_immutable_field_is_tried_again_and_goes_through_when_the_object_is_out_of_the_way(yard: Yard) -> None:
    yard.adopt(retry=Retry(limit=0, first=5.0, factor=2.0, maximum=15.0))
    yard.commit(deployment("web"))
    yard.until_synced()
    other = deployment("web", selector={"matchLabels": {"app": "other"}}, template=pod_template("other"))
    yard.commit(other)
    yard.until(lambda: "immutable" in yard.status(yard.app).message, "the refusal")
    path = f"/apis/apps/v1/namespaces/{yard.space}/deployments/web"
    assert yard.plane.call("DELETE", path)[0] == 200
    yard.until_synced()
    assert yard.there(DEPLOYMENT, "web")["spec"]["selector"]["matchLabels"] == {"app": "other"}


def test_an_operation_ends_at_its_deadline_and_names_what_it_waited_for(yard: Yard) -> None:
    yard.adopt(timeout=20.0)
    yard.commit(deployment("web", plays="hangs"), config_map("after", wave=1, v="1"))
    status = yard.until_phase(Phase.FAILED)
    assert status.operation is not None
    assert status.operation.message.startswith("Not healthy after 2")
    assert f"Deployment.apps {yard.space}/web" in status.operation.message
    assert yard.get(CONFIG_MAP, "after") is None

    yard.commit(deployment("web"), config_map("after", wave=1, v="1"))
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "after")
