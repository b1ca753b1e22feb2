"""A record that somebody has edited, emptied, deleted or restored: no object is lost, and nothing old comes back."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gitops_workers.core.record.record import record_name
from tests.integration.sync.test_mishaps import path_of, tell, value
from tests.integration.sync.yard import DEPLOYMENT, Yard, config_map, deployment

RECORDS = "/api/v1/namespaces/gitops-workers/configmaps"


def nonsense(yard: Yard, path: str) -> None:
    assert yard.plane.call("PATCH", path, {"data": {"record": "nonsense{"}})[0] == 200


def emptied(yard: Yard, path: str) -> None:
    assert yard.plane.call("PATCH", path, {"data": None})[0] == 200


def deleted(yard: Yard, path: str) -> None:
    assert yard.plane.call("DELETE", path)[0] == 200


def forged(yard: Yard, path: str) -> None:
    """A valid record with a fence far ahead, a listing in the future, and somebody else's object."""
    document = json.loads(yard.plane.call("GET", path)[1]["data"]["record"])
    document |= {"generation": 10**9, "writer": 10**9, "listedAt": 4e9}
    document["inventory"].append(["", "ConfigMap", yard.space, "foreign", "v1"])
    assert yard.plane.call("PATCH", path, {"data": {"record": json.dumps(document)}})[0] == 200


Harm = Callable[[Yard, str], None]
every_harm = pytest.mark.parametrize("harm", [nonsense, emptied, deleted, forged], ids=lambda harm: harm.__name__)
UNREADABLE = "restore it from a backup, or delete it to have it rebuilt"


def record_path(yard: Yard) -> str:
    return f"{RECORDS}/{record_name(yard.app)}"


def mended(yard: Yard, harm: Harm) -> None:
    """Where the record cannot be read the status says so, and what it says to do is done."""
    if harm in (nonsense, emptied):
        message = tell(yard, UNREADABLE)
        assert f"ConfigMap gitops-workers/{record_name(yard.app)} in cluster east" in message
        deleted(yard, record_path(yard))
    yard.until_synced()


def members(yard: Yard) -> set[str]:
    stored = yard.real.records("east").load(yard.app)
    assert stored is not None
    return {item.key.name for item in stored.record.inventory}


@every_harm
def test_a_record_that_somebody_spoils_at_rest_costs_no_object(yard: Yard, harm: Harm) -> None:
    yard.adopt()
    assert yard.plane.call("POST", path_of(yard, "").rstrip("/"), config_map("foreign", v="1"))[0] == 201
    yard.commit(config_map("a", v="1"), config_map("b", v="1"), config_map("left", v="1"))
    yard.until_synced()
    harm(yard, record_path(yard))
    yard.run(130)
    assert [value(yard, name) for name in ("a", "b", "left", "foreign")] == ["1"] * 4

    yard.commit(config_map("a", v="2"), config_map("b", v="1"))
    mended(yard, harm)
    assert [value(yard, name) for name in ("a", "b", "foreign")] == ["2", "1", "1"]
    yard.until(lambda: value(yard, "left") is None, "the prune of what the copy of the record knows")
    assert members(yard) == {"a", "b"}

    yard.commit(config_map("a", v="3"))
    yard.until_synced()
    assert value(yard, "a") == "3"
    yard.until(lambda: value(yard, "b") is None, "prunes as before")


@every_harm
def test_a_record_that_somebody_spoils_while_an_operation_waits_costs_no_object(yard: Yard, harm: Harm) -> None:
    yard.adopt()
    yard.commit(config_map("a", v="1"), config_map("b", v="1"))
    yard.until_synced()
    yard.commit(deployment("web", plays="hangs"), config_map("a", v="2"), config_map("b", v="2", wave=1))
    yard.until(lambda: yard.says("Waiting for Deployment.apps"), "the wait")
    harm(yard, record_path(yard))
    yard.run(20)
    assert (value(yard, "a"), value(yard, "b")) == ("2", "1")

    yard.release(app="web")
    mended(yard, harm)
    assert (value(yard, "a"), value(yard, "b")) == ("2", "2")
    assert yard.there(DEPLOYMENT, "web")["status"]["readyReplicas"] == 1
    assert members(yard) == {"a", "b", "web"}


def test_an_old_record_that_somebody_restores_brings_nothing_old_back(yard: Yard) -> None:
    """What an unreadable record's message advises, with a backup that is some syncs old."""
    yard.adopt()
    yard.commit(config_map("a", v="1"), config_map("left", v="1"))
    yard.until_synced()
    backup = yard.plane.call("GET", record_path(yard))[1]["data"]
    yard.commit(config_map("a", v="2"), config_map("b", v="2"))
    yard.until_synced()
    yard.until(lambda: value(yard, "left") is None, "the prune")
    emptied(yard, record_path(yard))
    yard.commit(config_map("a", v="3"), config_map("b", v="2"))
    tell(yard, UNREADABLE)
    assert (value(yard, "a"), value(yard, "b")) == ("2", "2")

    assert yard.plane.call("PATCH", record_path(yard), {"data": backup})[0] == 200
    yard.until_synced()
    assert (value(yard, "a"), value(yard, "b")) == ("3", "2")
    assert members(yard) == {"a", "b"}
