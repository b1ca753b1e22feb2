"""One trace per commit: push, poll, stages and writes, across the attempts that it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gitops_workers.core.documents.kinds import PUSH_TRACE, TRACES
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.testing.volatile_tracing import VolatileSpan, VolatileTracer
from gitops_workers.web.intake import Intake
from gitops_workers.web.services import WebServices, WebSettings
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, deployment
from tests.unit.pipeline.test_waiting import READY

STAGES = ["resolve", "fetch", "closure", "render", "compare"]
IDENTIFIERS = ["application", "cluster", "attempt", "generation", "operation", "commit", "result"]
WEB = ObjectKey("apps", "Deployment", "shop", "web")
CANARY = "hunter2-canary"


class TracedLab(Lab):
    """The lab with a tracer in each process."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tracer = VolatileTracer()
        self.context = replace(self.context, tracer=self.tracer)

    def webhook(self) -> list[str]:
        """A Git server tells of a push; then whatever is due."""
        self.now += 1.0
        services = WebServices(
            self.state, self.queue, lambda _: None, WebSettings(dispatch_limit=0), self.telemetry, tracer=self.tracer
        )
        group = repository_group(next(iter(self.applications.values())))
        asyncio.run(Intake(services).poll([group]))
        return self.run()

    def of(self, commit: str) -> list[VolatileSpan]:
        """The trace in which this commit was compared first."""
        first = next(
            span for span in self.tracer.spans if span.name == "compare" and span.attributes["commit"] == commit
        )
        return [span for span in self.tracer.spans if span.trace == first.trace]


def names(spans: Sequence[VolatileSpan]) -> list[str]:
    return [span.name for span in spans]


@pytest.fixture
def lab() -> TracedLab:
    return TracedLab()


def deployed(lab: TracedLab) -> str:
    lab.push(config("a"))
    app = lab.declare()
    lab.run(5)
    return app


@pytest.mark.parametrize("dialect", Dialect)
def test_a_commit_is_one_trace_from_the_push_through_the_stages_to_the_applies(
    lab: TracedLab, dialect: Dialect
) -> None:
    lab.push(config("a"))
    app = lab.declare(dialect)
    lab.run(5)
    commit = lab.push(config("a", "2"), config("b"))
    lab.webhook()
    spans = lab.of(commit)
    assert names(spans) == ["push", "poll", "attempt", *STAGES, "plan", "apply", "apply"]
    push, poll, attempt, *steps = spans
    assert (push.parent, poll.parent, attempt.parent) == ("", push.id, poll.id)
    assert {step.parent for step in steps} == {attempt.id}
    written = [str(span.attributes["object"]) for span in steps if span.name == "apply"]
    assert [name.rpartition("/")[2] for name in written] == ["a", "b"]
    assert {span.attributes["application"] for span in (attempt, *steps)} == {app}
    assert {span.attributes["commit"] for span in (poll, attempt, *steps[1:])} == {commit}
    assert set(IDENTIFIERS) <= set(steps[-1].attributes)
    assert set(IDENTIFIERS) <= set(attempt.attributes)
    assert attempt.attributes["phase"] == "Succeeded"
    assert lab.state.load(TRACES, app) is None
    assert lab.state.load(PUSH_TRACE, repository_group(lab.applications[app])) is None


def test_a_commit_that_takes_several_attempts_is_one_trace_that_ends_with_the_last_apply(lab: TracedLab) -> None:
    app = deployed(lab)
    commit = lab.push(deployment("web", wave=0), config("a", "2", wave=1))
    lab.webhook()
    assert len(lab.state.load(TRACES, app)) == 1
    lab.run(6)
    lab.cluster.put_status(WEB, READY)
    lab.run(6)
    spans = lab.of(commit)
    attempts = [span for span in spans if span.name == "attempt"]
    assert len(attempts) > 1
    assert {span.parent for span in attempts} == {spans[1].id}
    assert [span for span in lab.tracer.spans if span.attributes.get("commit") == commit and span not in spans] == []
    assert names(spans)[-1] == "apply"
    assert len({span.attributes["operation"] for span in attempts}) == 1


def test_each_commit_has_a_trace_of_its_own_also_while_another_is_finished_first(lab: TracedLab) -> None:
    lab.push(config("a"))
    app = lab.declare(finish_first=True)
    lab.run(5)
    first = lab.push(deployment("web", wave=0), config("a", "2", wave=1))
    lab.webhook()
    second = lab.push(deployment("web", wave=0), config("a", "3", wave=1))
    lab.webhook()
    lab.cluster.put_status(WEB, READY)
    lab.run(20)
    assert {span.attributes["commit"] for span in lab.of(first) if span.name == "apply"} == {first}
    assert {span.attributes["commit"] for span in lab.of(second) if span.name == "apply"} == {second}
    assert lab.state.load(TRACES, app) is None


def test_a_poll_that_finds_nothing_new_tells_nothing(lab: TracedLab) -> None:
    deployed(lab)
    before = names(lab.tracer.spans)
    lab.poll_repository()
    assert names(lab.tracer.spans) == before


def test_a_lost_context_costs_the_connection_alone(lab: TracedLab) -> None:
    app = deployed(lab)
    lab.push(config("a", "2"))
    lab.ask(app)
    lab.state.discard(TRACES, app)
    lab.run()
    attempt = [span for span in lab.tracer.spans if span.name == "attempt"][-1]
    assert attempt.parent == ""
    assert lab.status(app).operation.phase == "Succeeded"


def test_no_secret_of_an_object_is_in_any_attribute(lab: TracedLab) -> None:
    app = deployed(lab)
    secret = manifest("Secret", "s", namespace="shop", stringData={"password": CANARY})
    commit = lab.push(config("a", CANARY), secret)
    lab.webhook()
    assert "apply" in names(lab.of(commit))
    assert CANARY not in repr(lab.tracer.spans)
    assert CANARY not in repr(lab.state.load(TRACES, app))


def test_without_a_tracer_no_context_is_stored() -> None:
    lab = Lab()
    lab.push(deployment("web", wave=0), config("a", wave=1))
    app = lab.declare()
    lab.run(3)
    assert lab.state.load(TRACES, app) is None
