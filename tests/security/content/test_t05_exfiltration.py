"""T05: a template learns nothing of the worker: no DNS, no environment, no files, no cluster (CVE-2023-25165)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_workers.core.errors import RenderFailed
from tests.servers.rendering import RenderWorld

CHART = {"Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n"}


def output(repo: RenderWorld, expression: str) -> str:
    template = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  v: {{{{ {expression} | quote }}}}\n"
    return str(repo.objects(CHART | {"templates/a.yaml": template})[0]["data"]["v"])


def test_names_are_not_resolved(repo: RenderWorld):
    assert output(repo, 'getHostByName "localhost"') == ""


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "/proc/self/environ"])
def test_files_come_from_the_chart_only(repo: RenderWorld, path):
    assert output(repo, f'.Files.Get "{path}"') == ""


@pytest.mark.parametrize("expression", ['env "CANARY"', 'expandenv "$CANARY"'])
def test_the_environment_is_no_function(repo: RenderWorld, expression, monkeypatch):
    monkeypatch.setenv("CANARY", "7f3a")

    with pytest.raises(RenderFailed, match="not defined"):
        output(repo, expression)


def test_a_cluster_lookup_finds_nothing(repo: RenderWorld):
    assert output(repo, '(lookup "v1" "Secret" "default" "x") | toJson') == "{}"


def test_a_tool_has_no_network_of_the_host(repo: RenderWorld):
    if not repo.sandbox.isolation().network_namespace:
        pytest.skip("this kernel does not allow a network namespace here")
    (pid, *_) = repo.sandbox.pids()

    assert str(Path(f"/proc/{pid}/ns/net").readlink()) != str(Path("/proc/self/ns/net").readlink())
