"""When an object counts as agreeing with Git, over objects of any shape."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.diff.compare import BOOKKEEPING, compared, meaningful
from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.objects import Manifest, digest_of, key_of

names = st.text("abcxyz", min_size=1, max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    metadata = {"name": draw(names), "namespace": "shop", "labels": draw(st.dictionaries(names, names, max_size=3))}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "spec": draw(values), "data": draw(values)}


def wish(manifest: Manifest) -> Desired:
    return Desired(key_of(manifest), "v1", digest_of(manifest), manifest)


@given(manifests())
def test_an_object_agrees_with_itself(manifest: Manifest) -> None:
    assert compared(wish(manifest), copy.deepcopy(manifest), copy.deepcopy(manifest)).in_sync


@given(manifests(), st.sampled_from(sorted(BOOKKEEPING)), values, values)
def test_what_only_servers_and_controllers_write_is_no_difference(
    manifest: Manifest, field: str, value: Any, status: Any
) -> None:
    live = copy.deepcopy(manifest)
    live["metadata"][field] = value
    live["status"] = status
    assert compared(wish(manifest), live, manifest).in_sync


@given(manifests(), manifests())
def test_everything_else_is_a_difference_and_an_apply_ends_it(live: Manifest, would_be: Manifest) -> None:
    result = compared(wish(would_be), live, would_be)
    assert result.in_sync is (meaningful(live) == meaningful(would_be))
    assert compared(wish(would_be), copy.deepcopy(would_be), would_be).in_sync


@given(manifests())
def test_what_is_not_there_is_never_in_sync(manifest: Manifest) -> None:
    assert not compared(wish(manifest), None, manifest).in_sync
