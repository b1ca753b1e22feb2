"""The rule language, and the promise that no object breaks a rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_workers.core.health import health_of, rule_health
from gitops_workers.core.health.fields import fill, read
from gitops_workers.core.health.registry import RULES, rule_for
from gitops_workers.core.health.rules import Stale, degraded, evaluate, for_each, has, healthy, progressing
from gitops_workers.core.model import Dialect, Health, HealthStatus

OBJECT = {
    "metadata": {"generation": 2, "annotations": {"example.com/on": "yes"}},
    "status": {
        "observedGeneration": 1,
        "size": 2.0,
        "done": True,
        "list": ["a", {"b": "c"}],
        "conditions": [{"type": "Ready", "status": "False", "message": "no"}, {"type": "Ready", "status": "True"}],
    },
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("metadata.generation", 2),
        ("metadata.annotations.'example.com/on'", "yes"),
        ("@Ready.status", "False"),
        ("@'Ready'.message", "no"),
        ("@Healthy.status", None),
        ("status.list.1.b", "c"),
        ("status.list.9", None),
        ("status.size.deeper", None),
    ],
)
def test_a_path_reads_what_is_there_and_nothing_else(path, expected):
    assert read(OBJECT, path) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{@Ready.message}!", "no!"),
        ("{status.size}/{status.done}", "2/true"),
        ("[{status.none}]", "[]"),
        ("{status.none|@Ready.message?else}", "no"),
        ("{status.none?else}", "else"),
    ],
)
def test_a_message_is_filled_from_the_object(template, expected):
    assert fill(template, OBJECT) == expected


def test_the_first_step_with_an_answer_wins():
    rule = (
        healthy("never", has("status.done", 1)),
        for_each("status.conditions", degraded("{message}", has("status", "False"))),
        progressing("later"),
    )
    assert evaluate(rule, OBJECT) == Health(HealthStatus.DEGRADED, "no")
    assert evaluate(rule, {}) == Health(HealthStatus.PROGRESSING, "later")


def test_a_controller_that_said_nothing_is_behind_only_where_it_always_speaks():
    silent = {"metadata": {"generation": 2}, "status": {}}
    assert Stale()(OBJECT)
    assert not Stale()(silent)
    assert Stale(missing=True)(silent)


def test_a_kinds_own_rule_beats_a_wildcard():
    assert rule_for("pkg.crossplane.io", "Provider") is RULES["pkg.crossplane.io/Provider"]
    assert rule_for("pkg.crossplane.io", "Function") is RULES["*.crossplane.io/*"]
    assert rule_for("crossplane.io.example.com", "Function") is None


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.sampled_from(["", "True", "False", "Ready", "2/2"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["conditions", "type", "status", "reason", "message", "phase", "state", "environments",
                             "observedGeneration", "replicas", "active", "proposed", "dry", "sha", "parents",
                             "ancestors", "brokersState", "racks", "statuses", "compliancyDetails", "details"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60)
@given(spec=JUNK, status=JUNK, metadata=JUNK)
def test_no_object_of_any_shape_breaks_a_rule(spec, status, metadata):
    for name in RULES:
        group, kind = name.replace("*.", "a.").split("/")
        manifest = {
            "apiVersion": f"{group}/v1" if group else "v1",
            "kind": kind.replace("*", "Any"),
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }
        found = rule_health(manifest)
        assert found is None or isinstance(found.message, str)
        assert health_of(manifest, Dialect.FLUX, now=0.0) is not None
