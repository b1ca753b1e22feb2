"""Whoever asks why gets the last look stage by stage, and a look that found nothing new leaves nothing behind."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from gitops_workers.core.documents.kind import Kind
from gitops_workers.core.documents.kinds import FACTS
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.explain.explanation import Explanation
from gitops_workers.core.model import AppId, Dialect
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.core.status.rows import ClusterView
from gitops_workers.ports import Urgency
from gitops_workers.services.explain import explanation_of
from tests.documents import raw
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.leaving import LeavingLab, app_id, argo
from tests.unit.pipeline.moves import config, deployment


@pytest.fixture
def lab() -> Lab:
    return Lab()


def explain(lab: Lab, app: AppId) -> Explanation:
    return explanation_of(lab.state, lab.queue, lab.status(app))


def stages(lab: Lab, app: AppId) -> dict[str, tuple[str, ...]]:
    return dict(explain(lab, app).sections)


def test_a_quiet_application_says_that_nothing_is_to_be_done_and_when_it_is_looked_at(lab: Lab) -> None:
    commit = lab.push(config("a"), config("b"))
    app = lab.declare()
    lab.run()
    found = explain(lab, app)
    assert found.why == f"Nothing is to be done: the cluster agrees with main at {commit[:12]}."
    assert found.next_at is not None
    assert lab.now < found.next_at <= lab.now + 60
    assert "polled" in found.next_look
    told = dict(found.sections)
    assert told["Revision"][0].startswith(f"main at {commit}, listed at 1970-01-12T13:46:40Z")
    assert told["Inputs"][0].startswith("2 files, digest ")
    assert told["Render"][0].startswith("2 objects, digest ")
    assert told["Comparison"] == ("2 objects in sync, 0 differ",)
    assert told["Prune"] == ("nothing left Git",)
    assert told["Stages"] == ("1. wave 0: 2 objects, done",)
    assert told["Operation"][:2] == (
        f"Succeeded at {commit[:12]}, asked for by automated sync",
        "2 objects applied.",
    )


def test_the_inputs_that_a_commit_changed_are_named_until_the_next_one_changes_others(lab: Lab) -> None:
    lab.push(config("a"), config("b"), deployment("slow", 0))
    app = lab.declare(prune=True)
    lab.run()
    lab.push(config("a"), config("b", "2"), deployment("slow", 0), extra=json.dumps(config("c", wave=2)).encode())
    lab.poll_repository()
    inputs = stages(lab, app)["Inputs"]
    assert inputs[1].startswith("2 changed since ")
    assert inputs[2:] == ("~ web/1.json", "+ web/extra")
    told = stages(lab, app)["Stages"]
    assert told[0] == "1. wave 0: 3 objects"
    assert told[1].startswith("   waiting since 1970-01-12T13:46:4")
    assert told[2:] == ("   Deployment.apps shop/slow", "2. wave 2: 1 object")
    lab.run(3)
    assert stages(lab, app)["Inputs"] == inputs
    assert explain(lab, app).why.startswith("Its operation waits for Deployment.apps shop/slow since ")


def test_a_render_that_fails_shows_its_inputs_and_nothing_after_it(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    commit = lab.push(config("a"), broken=b"{")
    lab.poll_repository()
    told = stages(lab, app)
    assert list(told) == ["Last attempt", "Revision", "Inputs", "Render", "Operation", "Polls"]
    assert told["Revision"][0].startswith(f"main at {commit}")
    assert told["Inputs"][2:] == ("+ web/broken",)
    assert "not JSON" in told["Render"][0]
    assert "not JSON" in explain(lab, app).why


def test_a_second_commit_that_fails_in_the_same_words_is_the_one_shown(lab: Lab) -> None:
    lab.push(config("a"), broken=b"{")
    app = lab.declare()
    lab.run()
    for note in (b"one", b"two"):
        message = lab.status(app).message
        commit = lab.push(config("a"), broken=b"{", note=note)
        lab.poll_repository()
        assert lab.status(app).message == message
        told = stages(lab, app)
        assert told["Revision"][0].startswith(f"main at {commit}, listed at ")
        assert any(commit[:12] in line for line in told["Last attempt"])
        assert not any("nothing has changed since" in line for line in told["Last attempt"])


def test_a_second_render_that_differs_in_the_same_words_is_the_one_shown(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(automated=False)
    lab.run()
    seen = set()
    for value in ("2", "3"):
        commit = lab.push(config("a", value))
        lab.poll_repository()
        told = stages(lab, app)
        assert told["Revision"][0].startswith(f"main at {commit}")
        seen.add(told["Render"])
    assert len(seen) == 2


def test_an_attempt_that_reached_no_stage_shows_no_earlier_one_as_its_own(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    before = lab.status(app).revision
    lab.state.save(raw("override"), app, {"suspended": True, "by": "ann"})
    lab.queue.request(app, "look", Urgency.MANUAL)
    lab.run()
    told = stages(lab, app)
    assert told["Revision"] == (f"no commit was looked at; the last one compared was main at {before}",)
    assert not {"Inputs", "Render", "Comparison"} & told.keys()


def test_a_revision_that_is_not_there_is_the_first_stage_that_fails(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.repository.down = "connection refused"
    lab.queue.request(app, "look", Urgency.MANUAL)
    lab.run()
    told = stages(lab, app)
    assert list(told) == ["Last attempt", "Revision", "Polls"]
    assert "connection refused" in told["Revision"][0]


def test_a_prune_that_is_refused_keeps_what_was_found_before_it(lab: Lab) -> None:
    lab.push(*[config(f"c{number}") for number in range(40)])
    app = lab.declare(prune=True)
    lab.run()
    lab.push(config("c0"))
    lab.poll_repository()
    told = stages(lab, app)
    assert "39 of 40 objects would be deleted" in told["Prune"][-1]
    assert told["Comparison"][0] == "1 object in sync, 0 differ"
    assert "Stages" not in told


def test_a_cluster_that_is_away_is_the_reason(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(self_heal=True)
    lab.run()
    lab.state.save_cluster(ClusterView("east", "https://east:6443", "default", None, "", 1, 0, 0, 0.0, ""))
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 1000)
    lab.queue.request(app, "look", Urgency.MANUAL)
    lab.run()
    assert explain(lab, app).why == (
        "Cluster east does not answer, and is asked once a minute until it does: cluster east does not answer"
    )


def test_what_is_held_back_says_what_to_run(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare(automated=False)
    lab.run()
    assert explain(lab, app).why.endswith(f"automated sync is off: run `gitops-workers app sync {app}`.")


def test_a_look_that_finds_nothing_new_writes_and_reads_nothing_for_it(lab: Lab) -> None:
    lab.push(config("a"), deployment("slow", 0), config("b", wave=1))
    lab.declare(self_heal=True)
    lab.run()
    written: Counter[str] = Counter()
    original = lab.state.save_status

    def save_status(status: Any, token: int = 0, documents: Any = None) -> bool:
        written.update(kind.name for kind in documents or {})
        return original(status, token, documents)

    read: Counter[str] = Counter()
    load = lab.state.load

    def counted(kind: Kind[Any], key: str) -> Any:
        read[kind.name] += 1
        return load(kind, key)

    lab.state.save_status = save_status  # type: ignore[method-assign]
    lab.state.load = counted  # type: ignore[method-assign]
    lab.run(30)
    assert written["operation"] > 1, "it looked at its gate"
    assert (written[FACTS.name], read[FACTS.name]) == (0, 0)


def test_the_document_of_a_large_application_stays_small(lab: Lab) -> None:
    many = [manifest("ConfigMap", f"{'long-name-' * 20}{number}", wave=number % 50, data={}) for number in range(300)]
    lab.push(*many, path="web")
    app = lab.declare(prune=True)
    lab.run()
    for number, item in enumerate(many):
        item["data"] = {"v": str(number)}
    deep: dict[str, Any] = {
        f"{'deep-' * 40}{number}": json.dumps(config(f"x{number}")).encode() for number in range(50)
    }
    lab.push(*many[:250], **deep)
    lab.poll_repository()
    size = len(json.dumps(lab.state.load(raw("explanation"), app)))
    assert 500 < size < 4096


def test_the_repository_s_poll_is_what_comes_next_when_it_is_nearer(lab: Lab) -> None:
    lab.push(config("a"))
    app = lab.declare()
    lab.run()
    group = repository_group(lab.applications[app])
    attempt = lab.queue.begin_poll(group, 30.0)
    if attempt is None:
        lab.queue.request_poll(group, Urgency.POLL)
        attempt = lab.queue.begin_poll(group, 30.0)
    assert attempt is not None
    lab.queue.finish_poll(attempt, 2.0)
    assert explain(lab, app).next_look.endswith("in 2 s: its repository is polled")


def test_a_deletion_says_how_it_goes_and_what_it_waits_for() -> None:
    lab = LeavingLab()
    app = app_id(Dialect.ARGOCD)
    lab.push(config("a"), manifest("ConfigMap", "b", wave=1, data={"v": "1"}))
    lab.begin(argo())
    lab.finalize("b")
    lab.declare_all()
    lab.settle_down(30)
    lab.run()
    found = explain(lab, app)
    assert "wave 1: waiting for 1 object, first ConfigMap shop/b" in found.why
    assert found.next_look.endswith("its deletion goes on")
    assert "its manifest coming back" in found.earlier
    told = dict(found.sections)
    assert set(told) == {"Last attempt", "Deletion", "Polls"}
    assert told["Deletion"][0].startswith("its manifest is gone since 1970-01-12T13:4")
    assert told["Deletion"][1:] == (
        "its objects are deleted (foreground), and is waited for",
        lab.status(app).message.partition(": ")[2],
        "2 objects to go: ConfigMap shop/b, ConfigMap shop/a",
    )


def test_a_deletion_that_waits_for_a_human_says_for_what() -> None:
    lab = LeavingLab()
    app = app_id(Dialect.ARGOCD)
    lab.push(config("a"))
    lab.begin(argo())
    lab.declare_all("apiVersion: argoproj.io/v1alpha1\nkind: Application\n")
    lab.settle_down(30)
    lab.run()
    found = explain(lab, app)
    assert f"run `gitops-workers app delete {app}`" in found.why
    assert dict(found.sections)["Deletion"][1] == found.why
    assert "Comparison" in dict(found.sections), "it is synced as before meanwhile"
