"""T08: what a render expands to is counted before it is expanded, and other renders do not notice."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitops_workers.core.errors import UnsafeContent
from tests.servers.rendering import RenderWorld, config_map

LEVELS, TIMES = 9, 8
SCRATCH = Path("/dev/shm")


def description(name: str, dependencies: str = "") -> str:
    return f"apiVersion: v2\nname: {name}\nversion: 0.1.0\ndependencies: [{dependencies}]\n"


def beside() -> dict[str, str]:
    """Charts side by side; each depends on the eight of the next level."""
    tree = {}
    for level in range(LEVELS):
        next_ones = ", ".join(
            f"{{name: c{level + 1}-{number}, version: 0.1.0, repository: 'file://../c{level + 1}-{number}'}}"
            for number in range(TIMES)
        )
        for folder in ["c0"] if level == 0 else [f"c{level}-{number}" for number in range(TIMES)]:
            tree[f"{folder}/Chart.yaml"] = description(folder, next_ones if level < LEVELS - 1 else "")
    return tree


def vendored(alias: str = "alias: a%d, ") -> dict[str, str]:
    """One folder in another; each chart names the one inside eight times."""
    tree, place = {}, "c0"
    for level in range(LEVELS):
        inner = ", ".join(
            f"{{name: c{level + 1}, {alias % n if '%' in alias else alias}version: 0.1.0}}" for n in range(TIMES)
        )
        tree[f"{place}/Chart.yaml"] = description(f"c{level}", inner if level < LEVELS - 1 else "")
        place += f"/charts/c{level + 1}"
    return tree


def archived() -> dict[str, bytes | str]:
    """As `vendored`, one archive in another."""
    inner: bytes | None = None
    for level in reversed(range(LEVELS)):
        names = ", ".join(f"{{name: c{level + 1}, alias: a{number}, version: 0.1.0}}" for number in range(TIMES))
        files: dict[str, bytes] = {"Chart.yaml": description(f"c{level}", names if inner else "").encode()}
        if inner is not None:
            files[f"charts/c{level + 1}-0.1.0.tgz"] = inner
        if level == 0:
            return {f"c0/{path}": content for path, content in files.items()}
        inner = packed(f"c{level}", files)
    raise AssertionError


def packed(name: str, files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as members:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size = len(content)
            members.addfile(member, io.BytesIO(content))
    return gzip.compress(stream.getvalue())


def inodes() -> int:
    return os.statvfs(SCRATCH).f_files - os.statvfs(SCRATCH).f_ffree


@pytest.mark.parametrize("charts", [beside, vendored, archived])
def test_charts_that_multiply_are_refused_and_a_bystander_does_not_notice(repo: RenderWorld, charts):
    other = RenderWorld(repo.sandbox)
    most = before = inodes()
    with ThreadPoolExecutor(1) as threads:
        render = threads.submit(repo.objects, charts(), "c0")
        while not render.done():
            assert other.objects({"a.yaml": config_map("a", time=str(most))})[0]["kind"] == "ConfigMap"
            most = max(most, inodes())
        with pytest.raises(UnsafeContent, match="name each"):
            render.result()

    assert most - before < 60_000


def test_one_chart_under_a_few_names_renders(repo: RenderWorld):
    tree = {
        "c/Chart.yaml": description(
            "c", "{name: s, alias: one, version: 0.1.0}, {name: s, alias: two, version: 0.1.0}"
        ),
        "c/charts/s/Chart.yaml": description("s"),
        "c/charts/s/templates/a.yaml": config_map("{{ .Chart.Name }}"),
    }

    assert sorted(item["metadata"]["name"] for item in repo.objects(tree, "c")) == ["one", "two"]


def test_an_archive_among_the_charts_renders(repo: RenderWorld):
    sub = packed("s", {"Chart.yaml": description("s").encode(), "templates/a.yaml": config_map("s").encode()})
    tree = {"c/Chart.yaml": description("c", "{name: s, version: 0.1.0}"), "c/charts/s-0.1.0.tgz": sub}

    assert [item["metadata"]["name"] for item in repo.objects(tree, "c")] == ["s"]


def test_bases_that_multiply_are_refused_before_kustomize_runs(repo: RenderWorld):
    tree = {"b9/kustomization.yaml": "resources: [a.yaml]\n", "b9/a.yaml": config_map("a")}
    for level in range(9):
        overlays = [f"o{number}" for number in range(TIMES)]
        tree[f"b{level}/kustomization.yaml"] = f"resources: [{', '.join(overlays)}]\n"
        for name in overlays:
            tree[f"b{level}/{name}/kustomization.yaml"] = f"namePrefix: {name}-\nresources: [../../b{level + 1}]\n"

    with pytest.raises(UnsafeContent, match="name each base once"):
        repo.objects(tree, "b0")


@pytest.mark.parametrize(("first", "second"), [("../b", "../a"), ("../b", "../b")])
def test_bases_in_a_circle_are_refused(repo: RenderWorld, first, second):
    tree = {"a/kustomization.yaml": f"resources: [{first}]\n", "b/kustomization.yaml": f"resources: [{second}]\n"}

    with pytest.raises(UnsafeContent):
        repo.objects(tree, "a")


def test_more_files_than_a_render_may_have_are_refused_before_they_are_written(repo: RenderWorld):
    tree = {"c/Chart.yaml": description("c")} | {f"c/files/{number % 99}/{number}": b"" for number in range(50_100)}

    with pytest.raises(UnsafeContent, match="files and folders"):
        repo.objects(tree, "c")
