"""T04: rendering asks no server for anything."""

from __future__ import annotations

import socket

import pytest

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render.render_spec import HelmOptions, RenderSpec
from tests.servers.rendering import RenderWorld

REMOTE = [
    "https://h/x.yaml",
    "http://169.254.169.254/latest",
    "github.com/org/repo//base?ref=v1",
    "git@github.com:org/repo.git",
    "git::https://h/r",
    "ssh://git@h/r",
    "user@host:repo",
    "https://github.com/org/repo/base?ref=main",
]


@pytest.fixture
def canary():
    """A server of ours; the test fails when anybody connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server.getsockname()[1]
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("field", ["resources", "bases", "components", "crds", "configurations"])
@pytest.mark.parametrize("url", REMOTE)
def test_a_remote_reference_is_refused_with_a_way_on(repo: RenderWorld, field, url):
    with pytest.raises(UnsafeContent, match=r"nothing is fetched while rendering.*copy"):
        repo.objects({"a/kustomization.yaml": f"{field}: ['{url}']\n"}, "a")


@pytest.mark.parametrize("scheme", ["http", "https", "oci"])
def test_no_request_reaches_a_server_for_a_remote_chart(repo: RenderWorld, canary, scheme):
    chart = f"apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies: [{{name: d, version: 1.0.0, repository: '{scheme}://127.0.0.1:{canary}'}}]\n"

    with pytest.raises(RenderFailed, match="nothing is downloaded"):
        repo.objects({"Chart.yaml": chart})


def test_no_request_reaches_a_server_from_a_file_that_nobody_analyses(repo: RenderWorld, canary):
    generator = (
        f"apiVersion: builtin\nkind: PatchTransformer\nmetadata: {{name: x}}\npath: http://127.0.0.1:{canary}/p.yaml\n"
    )
    base = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

    with pytest.raises(RenderFailed):
        repo.objects(
            {"kustomization.yaml": "resources: [a.yaml]\ntransformers: [t.yaml]\n", "t.yaml": generator, "a.yaml": base}
        )


def test_value_files_are_never_urls(repo: RenderWorld, canary):
    spec = RenderSpec(helm=HelmOptions(value_files=(f"http://127.0.0.1:{canary}/values.yaml",)))

    with pytest.raises(UnsafeContent, match="URL"):
        repo.objects({"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n"}, ".", spec)
