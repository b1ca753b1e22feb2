"""Places in objects: removing them, and finding them again in another version."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.text.json_path import NOTHING, Place, at, counterpart, pointer, replaced, without

POD: dict[str, Any] = {
    "metadata": {"annotations": {"a.b/c": "1", "x": "2"}, "labels": {"only": "1"}},
    "spec": {"containers": [{"name": "web", "image": "w"}, {"name": "proxy", "image": "p"}], "args": ["a", "b", "c"]},
}


@pytest.mark.parametrize(
    ("text", "place"),
    [("/spec/replicas", ("spec", "replicas")), ("/a~1b/~0c/0", ("a/b", "~c", "0")), ("/", ("",))],
)
def test_pointers(text: str, place: Place):
    assert pointer(text) == place


@pytest.mark.parametrize(
    ("places", "path", "left"),
    [
        ([("metadata", "annotations", "a.b/c")], ("metadata", "annotations"), {"x": "2"}),
        ([("metadata", "labels", "only")], ("metadata",), {"annotations": {"a.b/c": "1", "x": "2"}}),
        ([("spec", "containers", 0)], ("spec", "containers"), [{"name": "proxy", "image": "p"}]),
        ([("spec", "containers", "0", "image")], ("spec", "containers", 0), {"name": "web"}),
        ([("spec", "args", 0), ("spec", "args", 2)], ("spec", "args"), ["b"]),
        ([("spec", "args", 0), ("spec", "args")], ("spec", "args"), NOTHING),
        ([("spec", "args"), ("spec", "args", 0)], ("spec", "args"), NOTHING),
        ([("spec", "unheard", "of"), ("spec", "args", 9), ("spec", "args", "x")], ("spec",), POD["spec"]),
    ],
)
def test_what_is_left_without_some_places(places: list[Place], path: Place, left: Any):
    assert at(without(POD, places), path) == left


def test_the_original_is_not_touched():
    before = repr(POD)

    without(POD, [("spec", "containers", 0, "image")])
    replaced(POD, ("spec", "containers", 0, "image"), "new")

    assert repr(POD) == before


def test_a_list_item_is_found_by_its_name_wherever_it_stands():
    injected = {"spec": {"containers": [{"name": "istio"}, *reversed(POD["spec"]["containers"])], "args": ["c"]}}

    assert counterpart(("spec", "containers", 0, "image"), POD, injected) == ("spec", "containers", 2, "image")
    assert counterpart(("spec", "containers", 0), injected, POD) is None
    assert counterpart(("spec", "args", 2), POD, injected) == ("spec", "args", 0)
    assert counterpart(("spec", "args", 0), POD, injected) is None
    assert counterpart(("metadata", "labels"), POD, injected) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
PLACES = st.lists(
    st.lists(st.text("ab", min_size=1, max_size=1) | st.integers(0, 2), min_size=1, max_size=3).map(tuple)
)


@given(JSON, PLACES)
def test_nothing_stands_where_something_was_taken_away(value: Any, places: list[Place]):
    top = {"top": value}
    whole = [("top", *place) for place in places if not any(isinstance(part, int) for part in place)]

    left = without(top, whole)

    assert all(at(left, place) is NOTHING for place in whole)
    assert without(left, whole) == left


@given(JSON, PLACES)
def test_a_counterpart_in_the_same_value_is_the_same_value(value: Any, places: list[Place]):
    for place in places:
        found = counterpart(place, value, value)
        if found is not None:
            assert at(value, found) == at(value, place)
