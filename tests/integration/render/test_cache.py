"""Equal inputs are rendered once; what differs in any input is rendered anew; failures are believed for a while."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gitops_workers.adapters.rendering.memory import FIRST, LONGEST, Failures, Recent, SingleFlight
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render.render_spec import (
    HelmOptions,
    HelmParameter,
    KustomizeMerge,
    KustomizeOptions,
    RenderSpec,
    Substitution,
    Tool,
)
from tests.servers.rendering import CONTEXT, RenderWorld, config_map

CHART = {
    "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
    "c/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
}
PLAIN = {"m/a.yaml": config_map("a")}
FLUX = RenderSpec(
    tool=Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX), substitution=Substitution()
)


def test_the_second_render_of_equal_inputs_is_none(repo: RenderWorld):
    first = repo.rendered(repo.commit(PLAIN), "m")
    second = repo.rendered(repo.commit(PLAIN | {"other": "x"}), "m")

    assert (first.cached, second.cached) == (False, True)
    assert first.digest == second.digest
    assert first.objects == second.objects


def test_another_process_takes_it_from_the_shared_cache(repo: RenderWorld):
    at = repo.commit(PLAIN)
    first = repo.rendered(at, "m")

    other = RenderWorld(repo.sandbox, store=repo.store, repository=repo.repository, sources=repo.sources)
    other.sandbox = None  # nothing can be rendered there

    assert other.rendered(at, "m").objects == first.objects


@pytest.mark.parametrize(
    ("path", "spec", "change", "shared"),
    [
        (
            "m",
            RenderSpec(),
            {"app_name": "other", "namespace": "other", "kube_version": "1.30.0", "api_versions": ()},
            True,
        ),
        ("c", RenderSpec(), {"app_name": "other"}, False),
        ("c", RenderSpec(helm=HelmOptions(release_name="fixed")), {"app_name": "other"}, True),
        ("c", RenderSpec(), {"namespace": "other"}, False),
        ("c", RenderSpec(), {"kube_version": "1.30.0"}, False),
        ("c", RenderSpec(), {"api_versions": ("v1",)}, False),
        ("c", RenderSpec(), {"project": "other"}, True),
        ("m", FLUX, {"variables": (("v", "2"),)}, False),
        ("m", RenderSpec(), {"variables": (("v", "2"),)}, True),
    ],
)
def test_only_what_the_render_reads_is_an_input(repo: RenderWorld, path, spec, change, shared):
    at = repo.commit(CHART | PLAIN)
    context = replace(CONTEXT, variables=(("v", "1"),))
    repo.rendered(at, path, spec, context)

    assert repo.rendered(at, path, spec, replace(context, **change)).cached is shared


@pytest.mark.parametrize(("value", "shared"), [("fixed", True), ("$ARGOCD_APP_REVISION", False)])
def test_the_commit_is_an_input_only_where_it_is_named(repo: RenderWorld, value, shared):
    spec = RenderSpec(helm=HelmOptions(parameters=(HelmParameter("v", value),)))
    first, second = repo.commit(CHART), repo.commit(CHART | {"x": "y"})
    repo.rendered(first, "c", spec)

    assert repo.rendered(second, "c", spec).cached is shared


def test_no_secret_value_is_in_a_key_or_readable_digest(repo: RenderWorld):
    context = replace(CONTEXT, variables=(("v", "canary-7f3a"),))
    repo.rendered(repo.commit(PLAIN), "m", FLUX, context)

    assert all("canary" not in key for key in repo.store.values)


def test_a_failed_render_is_believed_without_asking_again(repo: RenderWorld):
    at = repo.commit({"a.yaml": "kind: ConfigMap\n"})
    with pytest.raises(RenderFailed) as first:
        repo.rendered(at)
    repo.sandbox = None

    with pytest.raises(RenderFailed) as second:
        repo.rendered(at)

    assert str(first.value) == str(second.value)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_failure_is_believed_longer_each_time():
    clock = Clock()
    failures = Failures(clock)
    spans = []
    for _ in range(10):
        failures.add("k", UnsafeContent("bad"))
        begun = clock.now
        while True:
            try:
                failures.check("k")
                break
            except UnsafeContent:
                clock.now += 15
        spans.append(clock.now - begun)

    assert spans[:4] == [FIRST, FIRST * 2, FIRST * 4, FIRST * 8]
    assert spans[-1] == LONGEST


def test_a_success_ends_the_distrust():
    failures = Failures(Clock())
    failures.add("k", RenderFailed("bad"))

    failures.forget("k")

    failures.check("k")


def test_recent_results_stay_under_their_bound():
    recent = Recent(10)
    for key in "abc":
        recent.put(key, b"xxxx")
        recent.get("a")

    assert [key for key in "abc" if recent.get(key)] == ["a", "c"]


def test_equal_work_is_done_once_and_everybody_gets_it():
    flights, begun, may_end = SingleFlight(), threading.Event(), threading.Event()
    runs = []

    def work() -> bytes:
        runs.append(1)
        begun.set()
        may_end.wait(10)
        return b"done"

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(flights.do, "k", work)
        begun.wait(10)
        others = [threads.submit(flights.do, "k", work) for _ in range(3)]
        while not all(future.running() for future in others):
            pass
        may_end.set()
        answers = [first.result(), *(future.result() for future in others)]

    assert {answer for answer, _ in answers} == {b"done"}
    assert answers[0] == (b"done", False)
    assert len(runs) <= 1 + sum(not shared for _, shared in answers[1:])
