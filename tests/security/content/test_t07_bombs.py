"""T07: a bomb is a typed error for its own revision; the worker and its other renders do not notice (E4)."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.render_spec import HelmOptions, RenderSpec
from tests.servers.rendering import RenderWorld, config_map

ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)
MERGES = (
    "a: &a {"
    + ", ".join(f"k{n}: 1" for n in range(10))
    + "}\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{', '.join(['*' + chr(97 + n)] * 9)}]}}\n" for n in range(24))
)
BOMBS = {
    "aliases": ALIASES,
    "merge keys": MERGES,
    "nesting": "[" * 50_000,
    "many lists": "[" + "[]," * 1_666_666 + "]",
    "json nesting": '{"a":' * 50_000,
    "block nesting": "- " * 50_000,
}


@pytest.mark.parametrize(("name", "bomb"), BOMBS.items(), ids=BOMBS.keys())
def test_a_bomb_as_a_manifest(repo: RenderWorld, name: str, bomb: str):
    worker = os.getpid()
    good = repo.commit({"good/a.yaml": config_map("b"), "bad/bomb.yaml": bomb})
    meanwhile: list[Any] = []
    other = threading.Thread(target=lambda: meanwhile.extend(repo.rendered(good, "good").objects))
    other.start()

    with pytest.raises(RenderFailed, match=r"bad/bomb.yaml|bad:"):
        repo.rendered(good, "bad")
    other.join()

    assert [item["metadata"]["name"] for item in meanwhile] == ["b"]
    assert os.getpid() == worker
    # A name of its own: what was rendered before comes from the cache, and needs no child.
    after = repo.objects({"good.yaml": config_map(f"after-{name.replace(' ', '-')}")})
    assert len(after) == 1
    assert repo.sandbox.pids()


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_as_a_kustomization(repo: RenderWorld, bomb):
    with pytest.raises(RenderFailed, match=r"kustomization\.yaml"):
        repo.objects({"kustomization.yaml": bomb})


@pytest.mark.parametrize("name", ["aliases", "merge keys", "nesting", "json nesting"])
def test_a_bomb_as_helm_values(repo: RenderWorld, name):
    with pytest.raises(RenderFailed, match=r"helm\.values"):
        repo.objects(
            {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n"},
            ".",
            RenderSpec(helm=HelmOptions(values=BOMBS[name])),
        )


def test_a_template_without_end_is_killed_at_its_limit(repo: RenderWorld):
    forever = "{{ range until 100000 }}" * 2 + "x" * 16 + "{{ end }}" * 2
    template = '{{- define "x" }}' + forever + '{{ end }}{{ include "x" . }}'

    with pytest.raises(RenderFailed, match="helm"):
        repo.objects({"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "templates/a.yaml": template})

    assert repo.objects({"good.yaml": config_map("a")})
