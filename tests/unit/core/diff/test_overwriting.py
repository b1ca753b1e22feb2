"""The body of a full update: Git's values, nothing of ours that left Git, everything of others and of the server."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.diff.field_manager_migration import ownership
from gitops_workers.core.diff.overwriting import overwriting
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest


def entry(manager: str, fields: dict[str, Any], operation: str = "Apply", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields, **more}


def body(desired: Manifest, live: Manifest, *entries: dict[str, Any], dialect: Dialect = Dialect.ARGOCD) -> Manifest:
    shown = {**live, "metadata": {**live.get("metadata", {}), "managedFields": list(entries)}}
    found = overwriting(desired, shown, *ownership(dialect, shown))
    found["metadata"].pop("managedFields")
    return found


def of(spec: dict[str, Any], **metadata: Any) -> Manifest:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", **metadata}, "spec": spec}


def test_a_port_edited_by_hand_is_git_s_again_and_keeps_what_the_server_assigned() -> None:
    live = of(
        {
            "clusterIP": "10.0.0.7",
            "ports": [{"name": "http", "port": 8081, "protocol": "TCP", "nodePort": 30007}],
            "selector": {"app": "web"},
        }
    )
    ours = entry("gitops-workers", {"f:spec": {"f:selector": {}}})
    theirs = entry("kubectl-edit", {"f:spec": {"f:ports": {'k:{"port":8081,"protocol":"TCP"}': {".": {}}}}}, "Update")
    found = body(of({"ports": [{"name": "http", "port": 80}], "selector": {"app": "web"}}), live, ours, theirs)
    assert found["spec"] == {
        "clusterIP": "10.0.0.7",
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30007}],
        "selector": {"app": "web"},
    }


def test_what_was_ours_alone_goes_and_what_others_own_stays() -> None:
    live = of({"a": 1, "old": 2, "shared": 3, "theirs": 4, "replicas": 5, "nobody": 6}, labels={"x": "1", "y": "2"})
    ours = {"f:spec": {"f:a": {}, "f:old": {}, "f:shared": {}}, "f:metadata": {"f:labels": {"f:x": {}}}}
    theirs = {"f:spec": {"f:shared": {}, "f:theirs": {}}, "f:metadata": {"f:labels": {"f:y": {}}}}
    found = body(
        of({"a": 10}),
        live,
        entry("gitops-workers", ours),
        entry("someone", theirs, "Update"),
        entry("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, "Update", subresource="scale"),
    )
    assert found["spec"] == {"a": 10, "shared": 3, "theirs": 4, "replicas": 5, "nobody": 6}
    assert found["metadata"] == {"name": "web", "labels": {"y": "2"}}


def test_an_item_of_somebody_else_stays_where_it_stands() -> None:
    live = of({"containers": [{"name": "proxy", "image": "p"}, {"name": "main", "image": "1"}, {"name": "gone"}]})
    items: dict[str, Any] = {'k:{"name":"main"}': {".": {}, "f:image": {}}, 'k:{"name":"gone"}': {".": {}}}
    ours = entry("gitops-workers", {"f:spec": {"f:containers": items}})
    theirs = entry("injector", {"f:spec": {"f:containers": {'k:{"name":"proxy"}': {".": {}, "f:image": {}}}}}, "Update")
    found = body(of({"containers": [{"name": "main", "image": "2"}, {"name": "new"}]}), live, ours, theirs)
    assert found["spec"]["containers"] == [
        {"name": "proxy", "image": "p"},
        {"name": "main", "image": "2"},
        {"name": "new"},
    ]


def test_items_that_stand_twice_are_sent_as_git_has_them() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    assert body(of({"env": twice}), of({"env": [{"name": "A", "value": "0"}]}))["spec"]["env"] == twice
    assert body(of({"env": twice}), of({"env": twice[::-1]}))["spec"]["env"] == twice


def test_what_a_server_filled_in_for_another_choice_goes() -> None:
    live = of({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}, "replicas": 3})
    found = body(of({"strategy": {"type": "Recreate"}}), live)
    assert found["spec"] == {"strategy": {"type": "Recreate"}, "replicas": 3}


def test_kubectl_s_fields_are_ours_where_the_dialect_absorbs_them() -> None:
    live, edited = of({"extra": 1}), entry("kubectl-edit", {"f:spec": {"f:extra": {}}}, "Update")
    assert body(of({"a": 1}), live, edited)["spec"] == {"a": 1, "extra": 1}
    assert body(of({"a": 1}), live, edited, dialect=Dialect.FLUX)["spec"] == {"a": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inner, max_size=3),
    max_leaves=12,
)


def contains(found: Any, desired: Any) -> bool:
    """Whether everything that Git says is in it, list items in Git's order."""
    if isinstance(desired, dict) and isinstance(found, dict):
        return all(key in found and contains(found[key], value) for key, value in desired.items())
    if isinstance(desired, list) and isinstance(found, list):
        return len(found) == len(desired) and all(map(contains, found, desired))
    return type(found) is type(desired) and bool(found == desired)


@given(st.dictionaries(st.text("abc", max_size=2), JSON, max_size=4), st.dictionaries(st.text("abc", max_size=2), JSON))
def test_everything_that_git_says_is_sent_and_a_second_update_changes_nothing(
    desired: dict[str, Any], live: dict[str, Any]
) -> None:
    once = body(of(desired), of(live))
    assert contains(once["spec"], desired)
    assert body(of(desired), once) == once
