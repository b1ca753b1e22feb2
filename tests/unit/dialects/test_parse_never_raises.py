"""Whatever stands in a document, parsing collects problems and never raises."""

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_workers.core.model import Problem
from gitops_workers.dialects import Document, parse
from tests.unit.dialects.manifests import APPLICATION, KUSTOMIZATION, REPOSITORY
from tests.unit.dialects.test_catalogue import RECEIVER

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        [
            "1m",
            "-1",
            "1e309",
            "x" * 300,
            "\ud800",
            "refs/heads/x",
            "${A}",
            "$${",
            "v1",
            "List",
            "Secret",
            "=",
            "a=b:c@d",
        ]
    )
    | st.builds(lambda: 10**5000)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
BASES = [
    APPLICATION,
    KUSTOMIZATION,
    REPOSITORY,
    RECEIVER,
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {}},
]


def places(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


FIELDS = [
    "syncPolicy",
    "automated",
    "syncOptions",
    "retry",
    "helm",
    "kustomize",
    "directory",
    "images",
    "patches",
    "postBuild",
    "substitute",
    "substituteFrom",
    "interval",
    "timeout",
    "ref",
    "secretRef",
    "healthChecks",
    "sources",
    "items",
    "replicas",
    "valueFiles",
    "valuesObject",
    "commonMetadata",
    "annotations",
    "labels",
    "namespace",
    "stringData",
    "sops",
]


@st.composite
def mutated(draw):
    """One of our manifests with a value replaced, and another added under a name that means something."""
    value = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(value))))
        new = draw(VALUES)
        if not path:
            return new
        parent = value
        for part in path[:-1]:
            parent = parent[part]
        if draw(st.booleans()) and isinstance(parent[path[-1]], dict):
            parent[path[-1]][draw(st.sampled_from(FIELDS))] = new
        else:
            parent[path[-1]] = new
    return value


@settings(max_examples=400)
@given(st.lists(mutated() | VALUES, max_size=4))
def test_any_json_gives_applications_or_problems(values):
    parsed = parse([Document("x.yaml", value) for value in values])

    for problem in (*parsed.problems, *parsed.notes):
        assert isinstance(problem, Problem)
        assert problem.message
        assert str(problem)
    assert not {app.id for app in parsed.applications} & set(parsed.rejected)
    for app in parsed.applications:
        assert hash(app)
        assert bool(app.source.url) or bool(app.refusal)
