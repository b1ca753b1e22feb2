"""What is stored as JSON comes back as it was, or not at all."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.documents import codec
from gitops_workers.core.render.render_spec import (
    HelmOptions,
    HelmParameter,
    Image,
    KustomizeMerge,
    KustomizeOptions,
    Patch,
    RenderSpec,
    SecretRef,
    Substitution,
    Tool,
)
from gitops_workers.core.sync.request import Request

FULL = RenderSpec(
    tool=Tool.KUSTOMIZE,
    kustomize=KustomizeOptions(
        KustomizeMerge.FLUX,
        "pre-",
        images=(Image("nginx", new_tag="1.27"),),
        replicas=(("web", 3),),
        labels=(("a", "b"),),
        patches=(Patch("{}", target=(("kind", "Deployment"),), options=(("allowNameChange", True),)),),
    ),
    helm=HelmOptions("web", parameters=(HelmParameter("x", "1", force_string=True),), values="a: 1\n"),
    substitution=Substitution((("v", "1"),), (SecretRef("Secret", "flux-system", "vars", optional=True),)),
    common_labels=(("team", "web"),),
)


@given(st.from_type(RenderSpec))
def test_every_render_specification_comes_back(render: RenderSpec) -> None:
    assert codec.load(RenderSpec, json.loads(json.dumps(codec.dump(render)))) == render


def test_what_has_its_default_is_left_out() -> None:
    assert codec.dump(RenderSpec()) == {}
    assert codec.dump(FULL)["helm"] == {
        "release_name": "web",
        "parameters": [{"name": "x", "value": "1", "force_string": True}],
        "values": "a: 1\n",
    }


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "RenderSpec is list"),
        ({"colour": 1}, "unknown field colour"),
        ({"helm": {"colour": 1}}, "unknown field helm.colour"),
        ({"helm": {"parameters": [{"name": "x"}]}}, r"field helm.parameters\[0\].value is missing"),
        ({"helm": {"skip_crds": "yes"}}, "helm.skip_crds is str"),
        ({"tool": "make"}, "tool is str"),
        ({"kustomize": {"replicas": [["web"]]}}, r"kustomize.replicas\[0\] is list"),
        ({"kustomize": {"images": {}}}, "kustomize.images is dict"),
        ({"common_labels": None}, "common_labels is NoneType"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_field(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        codec.load(RenderSpec, value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["id", "by", "resources", "rollback", "kind", "name"]) | st.text(), inner)
        ),
    )
)
def test_no_value_of_any_shape_is_more_than_a_value_error(value: Any) -> None:
    with contextlib.suppress(ValueError):
        codec.load(Request, value)
