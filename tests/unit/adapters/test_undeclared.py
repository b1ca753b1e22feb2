"""Unknown fields are found by the words of a kube-apiserver 1.37, and only all of them or none."""

from __future__ import annotations

import pytest

from gitops_workers.adapters.cluster.undeclared import places

PREFIX = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): "
MANIFEST = {
    "spec": {
        "foo": 1,
        "bar": {"x": 1},
        "template": {"containers": [{"name": "a"}, {"name": "b", "baz": 1, "ports": [{"containerPort": 80, "y": 1}]}]},
        "list": [{"z": 1}],
    },
    "extra": {},
}


def unknown(*paths: str) -> str:
    lines = [f"{path}: field not declared in schema" for path in paths]
    return PREFIX + (lines[0] if len(lines) == 1 else "errors:\n  " + "\n  ".join(lines))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (unknown(".spec.foo"), (("spec", "foo"),)),
        (unknown(".extra"), (("extra",),)),
        (unknown(".spec.foo", ".spec.bar"), (("spec", "foo"), ("spec", "bar"))),
        (unknown('.spec.template.containers[name="b"].baz'), (("spec", "template", "containers", 1, "baz"),)),
        (
            unknown('.spec.template.containers[name="b"].ports[containerPort=80,protocol="TCP"].y'),
            (("spec", "template", "containers", 1, "ports", 0, "y"),),
        ),
        (unknown(".spec.list[0].z"), (("spec", "list", 0, "z"),)),
        (unknown(".spec.nowhere"), ()),
        (unknown(".spec.foo", ".spec.nowhere"), ()),
        (unknown(".spec.list[5].z"), ()),
        (unknown('.spec.template.containers[name="c"].baz'), ()),
        (unknown(".spec.template.containers[name=].baz"), ()),
        (PREFIX + ".spec.size: expected numeric (int or float), got string", ()),
        ("deployments.apps is forbidden", ()),
        ("", ()),
    ],
)
def test_unknown_fields_of_a_refusal(message: str, expected: tuple[object, ...]) -> None:
    assert places({"message": message}, MANIFEST) == expected


def test_a_refusal_without_words_names_nothing() -> None:
    assert places({}, MANIFEST) == ()
