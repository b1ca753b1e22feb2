"""Submodules are part of what an application reads: fetched by the rules of repositories, in the closure, bounded."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import PolicyRefused, RenderFailed, SubmoduleUnavailable, UnsafeContent
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.render_spec import DirectoryOptions, KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from gitops_workers.testing.volatile_sources import VolatileRepository
from tests.servers.rendering import URL, RenderWorld, config_map

SHARED = "https://git.example.com/team/shared.git"
RECURSE = RenderSpec(directory=DirectoryOptions(recurse=True))
FLUX = RenderSpec(Tool.KUSTOMIZE, kustomize=KustomizeOptions(merge=KustomizeMerge.FLUX))
CHART = {"Chart.yaml": "apiVersion: v2\nname: s\nversion: 0.1.0\n", "templates/a.yaml": config_map("s")}


def names(objects):
    return sorted(item["metadata"]["name"] for item in objects)


def module(path: str, url: str) -> str:
    return f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'


@pytest.fixture
def shared(repo: RenderWorld) -> VolatileRepository:
    return repo.sources.repositories.setdefault(SHARED, VolatileRepository())


def entry(repository: VolatileRepository, files) -> tuple[str, bytes]:
    contents = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
    return ("160000", repository.commit(contents).encode())


@pytest.mark.parametrize("url", [SHARED, "../shared.git", "./../shared.git"])
def test_what_is_in_a_submodule_is_rendered_wherever_it_stands(repo: RenderWorld, shared, url):
    plain = entry(shared, {"b.yaml": config_map("b"), "sub/c.yaml": config_map("c")})
    tree = {".gitmodules": module("m/s", url), "m/a.yaml": config_map("a"), "m/s": plain}
    assert names(repo.objects(tree, "m", RECURSE)) == ["a", "b", "c"]
    assert names(repo.objects(tree, "m")) == ["a"]
    assert names(repo.objects(tree, "m/s/sub")) == ["c"]
    assert names(repo.objects(tree, "m", FLUX)) == ["a", "b", "c"]


def test_a_chart_and_a_base_may_be_submodules(repo: RenderWorld, shared):
    chart = {"c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n", "c/charts/s": entry(shared, CHART)}
    assert names(repo.objects(chart | {".gitmodules": module("c/charts/s", SHARED)}, "c")) == ["s"]

    base = entry(shared, {"base/kustomization.yaml": "resources: [x.yaml]\n", "base/x.yaml": config_map("x")})
    kustomized = {"k/kustomization.yaml": "resources: [../vendor/base]\nnamePrefix: p-\n", "vendor": base}
    assert names(repo.objects(kustomized | {".gitmodules": module("vendor", SHARED)}, "k")) == ["p-x"]


def test_the_digest_follows_the_submodules_commit(repo: RenderWorld, shared):
    def digest(text: str) -> str:
        files = {".gitmodules": module("m", SHARED), "m": entry(shared, {"a.yaml": text})}
        return repo.closure(repo.commit(files), "m").digest

    assert digest(config_map("a")) != digest(config_map("b"))


def test_submodules_in_submodules_have_urls_relative_to_their_own(repo: RenderWorld, shared):
    inner = repo.sources.repositories.setdefault("https://git.example.com/team/inner.git", VolatileRepository())
    nested = entry(shared, {".gitmodules": module("i", "../inner.git"), "i": entry(inner, {"x.yaml": config_map("x")})})
    tree = {".gitmodules": module("m", SHARED), "m": nested}

    assert names(repo.objects(tree, "m", RECURSE)) == ["x"]
    assert set(repo.closure(repo.commit(tree), "m", RECURSE).repositories) == {
        SHARED,
        "https://git.example.com/team/inner.git",
    }


def test_links_lead_into_submodules_and_out_of_them(repo: RenderWorld, shared):
    inside = entry(shared, {"b.yaml": ("120000", b"../../other/c.yaml"), "d.yaml": config_map("d")})
    tree = {
        ".gitmodules": module("x/s", SHARED),
        "x/s": inside,
        "m/b.yaml": ("120000", b"../x/s/b.yaml"),
        "m/d.yaml": ("120000", b"../x/s/d.yaml"),
        "other/c.yaml": config_map("c"),
    }

    assert names(repo.objects(tree, "m")) == ["c", "d"]


def test_what_no_application_reads_is_not_fetched(repo: RenderWorld, shared):
    tree = {".gitmodules": module("x", SHARED), "x": entry(shared, {"a.yaml": ""}), "m/a.yaml": config_map("a")}
    before = shared.requests

    assert names(repo.objects(tree, "m", RECURSE)) == ["a"]
    assert shared.requests == before


WRONG = {
    "no URL": ("", SHARED, RenderFailed, r"\.gitmodules has no URL"),
    "a URL out of the server": (module("m/s", "../../../../../x.git"), SHARED, UnsafeContent, "leaves the server"),
    "a commit that is not there": (module("m/s", URL), SHARED, RenderFailed, "no commit"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_submodule_that_cannot_be_fetched_fails_the_render(repo: RenderWorld, shared, case):
    named, _, error, message = WRONG[case]
    tree = {".gitmodules": named, "m/a.yaml": config_map("a"), "m/s": entry(shared, {"b.yaml": config_map("b")})}

    with pytest.raises(error, match=message):
        repo.objects(tree, "m", RECURSE)


def test_a_server_that_does_not_answer_is_tried_again_and_not_by_everybody(repo: RenderWorld, shared):
    tree = {".gitmodules": module("m/s", SHARED), "m/s": entry(shared, {"b.yaml": config_map("b")})}
    at = repo.commit(tree)
    shared.down = "the connection was refused"
    before = shared.requests

    for _ in range(3):
        with pytest.raises(SubmoduleUnavailable, match=r"submodule m/s: .*refused"):
            repo.closure(at, "m", RECURSE)
    assert shared.requests == before + 1


def test_flux_fetches_them_on_request_only_and_never_renders_less(repo: RenderWorld, shared):
    tree = {".gitmodules": module("m/s", SHARED), "m/s": entry(shared, {"b.yaml": config_map("b")})}
    at = repo.commit(tree)

    with pytest.raises(RenderFailed, match="recurseSubmodules"):
        repo.rendered(at, "m", FLUX, submodules=False)
    assert names(repo.rendered(at, "m", FLUX, submodules=True).objects) == ["b"]


def test_a_submodule_that_the_source_leaves_out_is_not_missed(repo: RenderWorld, shared):
    tree = {".gitmodules": module("m/s", SHARED), "m/s": entry(shared, {"b": ""}), "m/a.yaml": config_map("a")}

    assert names(repo.rendered(repo.commit(tree), "m", FLUX, submodules=False, ignore="m/s").objects) == ["a"]


def test_a_repository_that_the_project_does_not_allow_is_not_even_asked(repo: RenderWorld, shared):
    tree = {".gitmodules": module("m/s", SHARED), "m/s": entry(shared, {"b.yaml": config_map("b")})}
    at = repo.commit(tree)
    before = shared.requests

    with pytest.raises(PolicyRefused, match=r"shared\.git, which the project does not allow"):
        repo.closures.closure(SourceSpec(URL, path="m"), RECURSE, at, "web", URL.__eq__)
    assert shared.requests == before


def test_number_and_depth_are_bounded(repo: RenderWorld, shared):
    one = entry(shared, {"b.yaml": "# nothing\n"})
    many: dict[str, Any] = {f"m/s{number}": one for number in range(40)}
    with pytest.raises(UnsafeContent, match="too many"):
        repo.objects({".gitmodules": "".join(module(path, SHARED) for path in many), **many}, "m", RECURSE)

    deep = one
    for _ in range(12):
        deep = entry(shared, {".gitmodules": module("d", SHARED), "d": deep})
    with pytest.raises(UnsafeContent, match="too many"):
        repo.objects({".gitmodules": module("m", SHARED), "m": deep}, "m", RECURSE)
