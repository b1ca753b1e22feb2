"""Admission that says no, and admission that changes what was applied, on a real API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_workers.core.model import Phase
from gitops_workers.core.objects import GroupKind
from tests.integration.sync.admission import GROUP, REASON, in_force, only
from tests.integration.sync.yard import CONFIG_MAP, Yard, config_map


@pytest.mark.usefixtures("denying")
def test_a_denied_object_stops_the_whole_sync_and_the_policys_words_are_shown(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("a", v="1"), config_map("b", v="1"))
    yard.until_synced()
    yard.until(lambda: in_force(yard), "the policy")

    yard.commit(config_map("a", v="2"), config_map("b", v="forbidden"))
    yard.until(lambda: REASON in yard.status(yard.app).message, "the refusal")
    assert yard.there(CONFIG_MAP, "a")["data"] == {"v": "1"}, "nothing was written before everything was tried"
    operation = yard.status(yard.app).operation
    assert operation is None or operation.phase is not Phase.RUNNING

    yard.commit(config_map("a", v="2"), config_map("b", v="2"))
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "b")["data"] == {"v": "2"}


def test_what_admission_adds_is_no_difference_and_no_reason_to_write_again(yard: Yard) -> None:
    """Every namespace's ServiceAccount admission does so: pods get a token volume that Git does not have."""
    yard.adopt()
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "labels": {"app": "one"}},
        "spec": {"containers": [{"name": "main", "image": "registry.example/main:1"}]},
    }
    yard.commit(pod)
    yard.until_synced()
    live = yard.get(GroupKind("", "Pod"), "one")
    assert live is not None
    assert live["spec"]["volumes"], "admission has changed it"
    before = yard.status(yard.app).operation
    yard.run(300)
    assert yard.status(yard.app).operation == before


@pytest.fixture
def mutating(yard: Yard) -> Iterator[None]:
    """A policy that writes the values of this test's ConfigMaps in capitals, and adds a label."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    change = "Object{data: {'v': object.data.v.upperAscii()}, metadata: Object.metadata{labels: {'team': 'a'}}}"
    policy = {
        "metadata": {"name": yard.space},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "ours", "expression": "has(object.data) && 'v' in object.data"}],
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": change}}],
            "reinvocationPolicy": "Never",
        },
    }
    binding = {"metadata": {"name": yard.space}, "spec": {"policyName": yard.space, "matchResources": only(yard)}}
    for kind, body in (("mutatingadmissionpolicies", policy), ("mutatingadmissionpolicybindings", binding)):
        status, answer = yard.plane.call("POST", f"{GROUP}/{kind}", body)
        assert status == 201, answer
    yield
    for kind in ("mutatingadmissionpolicybindings", "mutatingadmissionpolicies"):
        yard.plane.call("DELETE", f"{GROUP}/{kind}/{yard.space}")


def changed(yard: Yard) -> bool:
    body = {"metadata": {"name": "probe"}, "data": {"v": "x"}}
    answer = yard.plane.call("POST", f"/api/v1/namespaces/{yard.space}/configmaps?dryRun=All", body)[1]
    return bool(answer["data"]["v"] == "X")


@pytest.mark.usefixtures("mutating")
def test_a_policy_that_overwrites_what_git_says_is_not_fought(yard: Yard) -> None:
    """The dry-run goes through the same policy, so what Git would become is what is there."""
    yard.until(lambda: changed(yard), "the policy")
    yard.adopt()
    yard.commit(config_map("a", v="one"))
    yard.until_synced()
    live = yard.there(CONFIG_MAP, "a")
    assert live["data"] == {"v": "ONE"}
    assert live["metadata"]["labels"]["team"] == "a"

    edit = {"data": {"v": "by hand"}}
    assert yard.plane.call("PATCH", f"/api/v1/namespaces/{yard.space}/configmaps/a", edit)[0] == 200
    assert yard.there(CONFIG_MAP, "a")["data"] == {"v": "BY HAND"}
    yard.poll_cluster()
    yard.until(lambda: yard.there(CONFIG_MAP, "a")["data"] == {"v": "ONE"}, "the heal")
    yard.until_synced()
    version = yard.there(CONFIG_MAP, "a")["metadata"]["resourceVersion"]
    yard.run(300)
    assert yard.there(CONFIG_MAP, "a")["metadata"]["resourceVersion"] == version
