"""T02: a link never shows a file from outside the repository (CVE-2022-24904, 31036)."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from tests.servers.rendering import RenderWorld, config_map


def link(target: str) -> tuple[str, bytes]:
    return ("120000", target.encode())


CHART = {
    "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
    "c/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {v: {{ .Values.v | quote }}}\n",
}


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", "../.git/config", "x/../../.."])
def test_a_link_out_of_the_repository_is_refused(repo: RenderWorld, target):
    with pytest.raises(UnsafeContent):
        repo.objects({"a.yaml": link(target), "d/x.yaml": config_map("x")})


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc", "../..", "gone/away"])
def test_a_chart_folder_that_is_a_link_out_is_refused(repo: RenderWorld, target):
    with pytest.raises(UnsafeContent):
        repo.objects(CHART | {"c/charts/s": link(target)}, "c")


def test_links_to_folders_that_stand_in_each_other_are_refused(repo: RenderWorld):
    with pytest.raises(UnsafeContent, match="stands in"):
        repo.objects(CHART | {"c/templates/again": link("..")}, "c")


def test_links_to_folders_stand_for_a_bounded_number_of_files(repo: RenderWorld):
    doubled = {f"l{level}/{side}": link(f"../l{level + 1}") for level in range(20) for side in "ab"}
    tree = CHART | doubled | {"l20/x.yaml": "a: 1", "c/files": link("../l0")}

    with pytest.raises(UnsafeContent, match="links to folders stand for more than"):
        repo.objects(tree, "c")


def test_values_that_are_a_link_out_are_refused(repo: RenderWorld):
    with pytest.raises(UnsafeContent, match=r"values\.yaml"):
        repo.objects(CHART | {"c/values.yaml": link("/etc/passwd")}, "c")


def test_a_folder_that_is_a_link_is_refused(repo: RenderWorld):
    with pytest.raises(UnsafeContent, match="link"):
        repo.objects({"k/kustomization.yaml": "resources: [d/x.yaml]\n", "k/d": link("../../..")}, "k")


def test_a_link_to_links_without_end_is_refused(repo: RenderWorld):
    with pytest.raises(UnsafeContent, match="link"):
        repo.objects({"a.yaml": link("b.yaml"), "b.yaml": link("a.yaml")})


def test_a_link_inside_the_repository_is_followed(repo: RenderWorld):
    tree = {
        "k/kustomization.yaml": "resources: [x.yaml]\n",
        "k/x.yaml": link("../shared/y.yaml"),
        "shared/y.yaml": link("z.yaml"),
        "shared/z.yaml": config_map("z"),
    }

    assert repo.objects(tree, "k")[0]["metadata"]["name"] == "z"


def test_a_link_elsewhere_in_the_repository_is_no_reason_to_refuse(repo: RenderWorld):
    assert repo.objects({"a/a.yaml": config_map("a"), "b/evil.yaml": link("/etc/passwd")}, "a")


def test_a_submodule_that_is_needed_says_so(repo: RenderWorld):
    with pytest.raises(RenderFailed, match="submodule"):
        repo.objects({"k/kustomization.yaml": "resources: [m/x.yaml]\n", "k/m": ("160000", b"1" * 40)}, "k")


def archive(*members: tarfile.TarInfo) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in (("s/Chart.yaml", b"apiVersion: v2\nname: s\nversion: 0.1.0\n"),):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
        for member in members:
            tar.addfile(member)
    return gzip.compress(data.getvalue())


def member(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("s/templates/evil.yaml")
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_vendored_archive_show_nothing(repo: RenderWorld, kind):
    tree = CHART | {"c/charts/s-0.1.0.tgz": archive(member(kind, "/etc/passwd"))}

    try:
        rendered = repr(repo.objects(tree, "c"))
    except RenderFailed as refused:
        rendered = str(refused)

    assert "root:" not in rendered
