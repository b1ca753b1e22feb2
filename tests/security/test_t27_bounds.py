"""T27: a poisoned field is an error of its own application; nothing hangs, overflows or stops the others."""

import pytest

from tests.unit.dialects.manifests import APPLICATION, KUSTOMIZATION, REPOSITORY, changed, errors, parse_values

POISON = [
    "1xyz",
    "-1s",
    "-1",
    "0",
    "0s",
    "1e309",
    "1e309s",
    f"{10**12}h",
    "9" * 400 + "s",
    "",
    "1d",
    " 1m",
    "1m\n",
    "inf",
    -1,
    0,
    1.5,
    10**12,
    pytest.param(10**5000, id="huge"),
    float("nan"),
    float("inf"),
    True,
    [],
    {},
]
FLUX_DURATIONS = ["interval", "retryInterval", "timeout"]


@pytest.mark.parametrize("field", FLUX_DURATIONS)
@pytest.mark.parametrize(
    "value", POISON, ids=lambda value: str(type(value)) if isinstance(value, int) else repr(value)[:20]
)
def test_a_poisoned_duration_is_refused_and_other_applications_go_on(field, value):
    healthy = changed(KUSTOMIZATION, "metadata.name", "healthy")

    parsed = parse_values(REPOSITORY, changed(KUSTOMIZATION, f"spec.{field}", value), healthy)

    assert [app.name for app in parsed.applications] == ["healthy"]
    (message,) = errors(parsed)
    assert message.startswith(f"spec.{field}: found ")
    assert "allowed is a duration such as" in message
    assert len(message) < 300


@pytest.mark.parametrize("field", ["interval", "timeout"])
@pytest.mark.parametrize("value", ["1xyz", "-1s", "0s", "1e309", f"{10**12}h", 0])
def test_a_poisoned_repository_stops_only_its_own_kustomizations(field, value):
    other = changed(REPOSITORY, "metadata.name", "other")
    mine = changed(changed(KUSTOMIZATION, "metadata.name", "mine"), "spec.sourceRef.name", "other")

    parsed = parse_values(changed(REPOSITORY, f"spec.{field}", value), other, KUSTOMIZATION, mine)

    assert {app.name: bool(app.refusal) for app in parsed.applications} == {"shop": True, "mine": False}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.revisionHistoryLimit", -1),
        ("spec.revisionHistoryLimit", 10**12),
        pytest.param("spec.revisionHistoryLimit", 10**5000, id="huge"),
        ("spec.revisionHistoryLimit", 1.5),
        ("spec.revisionHistoryLimit", True),
        ("spec.syncPolicy.retry.limit", -2),
        ("spec.syncPolicy.retry.limit", 10**12),
        ("spec.syncPolicy.retry.backoff.factor", 0),
        ("spec.syncPolicy.retry.backoff.factor", 10**9),
        ("spec.syncPolicy.retry.backoff.duration", "1e309"),
        ("spec.syncPolicy.retry.backoff.duration", "9" * 30),
        ("spec.syncPolicy.retry.backoff.duration", 5),
        ("spec.syncPolicy.retry.backoff.maxDuration", "-1s"),
        ("spec.source.kustomize.replicas", [{"name": "web", "count": -1}]),
        ("spec.source.kustomize.replicas", [{"name": "web", "count": "9" * 400}]),
        ("metadata.name", "a" * 300),
        ("metadata.name", "../../etc"),
        ("metadata.namespace", "a/b"),
    ],
)
def test_numbers_and_names_are_bounded_where_they_are_read(path, value):
    healthy = changed(APPLICATION, "metadata.name", "healthy")

    parsed = parse_values(changed(APPLICATION, path, value), healthy)

    assert [app.name for app in parsed.applications] == ["healthy"]
    (message,) = errors(parsed)
    assert message.startswith(path)
    assert len(message) < 400


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1.0), ("1h30m", 5400.0), ("90m", 5400.0), ("1500ms", 1.5), ("1.5h", 5400.0)]
)
def test_gos_spellings_of_a_duration_are_read(text, seconds):
    (app,) = parse_values(REPOSITORY, changed(KUSTOMIZATION, "spec.retryInterval", text)).applications

    assert app.schedule.retry_interval == seconds
