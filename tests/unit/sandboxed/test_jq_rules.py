"""jq path expressions name fields; what fails on an object names nothing in it."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed.jq_rules import check, paths

DEPLOYMENT: dict[str, Any] = {
    "spec": {
        "replicas": 2,
        "template": {"spec": {"containers": [{"name": "web", "image": "w"}, {"name": "istio-proxy", "image": "i"}]}},
    }
}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (".spec.replicas", [["spec", "replicas"]]),
        (
            '.spec.template.spec.containers[] | select(.name == "istio-proxy")',
            [["spec", "template", "spec", "containers", 1]],
        ),
        (
            ".spec.template.spec.containers[].image",
            [["spec", "template", "spec", "containers", index, "image"] for index in (0, 1)],
        ),
        (".spec.template.spec.initContainers[].image", []),
        (".spec.replicas, .spec.paused", [["spec", "replicas"], ["spec", "paused"]]),
        (".spec.replicas # a remark", [["spec", "replicas"]]),
        ("1", []),
        ("$ENV.PATH", []),
    ],
)
def test_the_fields_of_an_expression(expression: str, found: list[Any]):
    assert paths([expression], DEPLOYMENT) == found


def test_an_expression_that_cannot_be_compiled_is_named():
    assert sorted(check([".spec[", ".spec", "unheard(.)"])) == [0, 2]
    with pytest.raises(RenderFailed, match="syntax error"):
        paths([".spec["], DEPLOYMENT)


def test_an_expression_cannot_mean_everything():
    with pytest.raises(RenderFailed, match="more than 10,000 fields"):
        paths([".spec[range(100000)]"], {"spec": []})
