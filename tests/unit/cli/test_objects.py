"""`health` and `plan`, as authors and CI call them: real processes, no Redis, no cluster."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_offline import run

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, generation: 2, deletionTimestamp: "2026-01-01T00:00:00Z"}
spec: {replicas: 1}
status: {observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}}
"""
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, namespace: shop}
status: {phase: Down}
status: {phase: Up}
"""


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_health_of_everything_in_a_directory_by_the_rule_alone(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(DEPLOYMENT)
    (tmp_path / "b.yaml").write_text(WIDGET)

    found = rows(run("health", tmp_path, "-o", "json"))

    web = {
        "group": "apps",
        "kind": "Deployment",
        "namespace": "shop",
        "name": "web",
        "status": "Healthy",
        "message": "",
    }
    assert found[0] == {"file": str(tmp_path / "a.yaml"), **web}
    assert [(row["kind"], row["name"], row["status"]) for row in found[1:]] == [
        ("ConfigMap", "settings", None),
        ("Widget", "w", None),
    ]


def test_kstatus_knows_an_answer_for_all(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(DEPLOYMENT)

    found = rows(run("health", tmp_path / "a.yaml", "--rules", "kstatus", "-o", "json"))

    assert [row["status"] for row in found] == ["Terminating", "Current"]


def test_rules_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(WIDGET)
    lua = tmp_path / "argocd-cm.yaml"
    script = 'return {status = "Degraded", message = obj.status.phase}'
    lua.write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm}}\ndata:\n"
        f"  resource.customizations.health.example.com_Widget: |\n    {script}\n"
    )
    cel = tmp_path / "kustomization.yaml"
    cel.write_text(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: x}\n"
        "spec:\n  sourceRef: {kind: GitRepository, name: x}\n  healthCheckExprs:\n"
        "  - {apiVersion: example.com/v1, kind: Widget, current: \"status.phase == 'Ready'\", failed: status.nothing}\n"
    )

    by_lua = rows(run("health", tmp_path / "w.yaml", "--customizations", lua, "-o", "json"))
    by_cel = rows(run("health", tmp_path / "w.yaml", "--rules", "kstatus", "--customizations", cel, "-o", "json"))

    assert (by_lua[0]["status"], by_lua[0]["message"]) == ("Degraded", "Up")
    assert by_cel[0]["status"] == "Unknown"
    assert 'Key not found in map : "nothing"' in by_cel[0]["message"]


def test_a_file_with_something_else_is_named_and_the_rest_is_answered(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("just: values\n---\n" + DEPLOYMENT)

    done = run("health", tmp_path / "a.yaml", "-o", "json")

    assert done.returncode == 2
    assert len(json.loads(done.stdout)) == 2
    assert "a.yaml:1: this is no object: apiVersion is missing." in done.stderr


def test_a_plan_is_ordered_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "git.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n---\n"
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    )
    (tmp_path / "live.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\n---\n" + DEPLOYMENT.partition("---")[0]
    )

    done = run("plan", tmp_path / "git.yaml", "--live", tmp_path / "live.yaml", "-n", "shop", "-o", "json")

    tasks = rows(done)
    assert {tuple(task) for task in tasks} == {("phase", "wave", "action", "group", "kind", "namespace", "name", "why")}
    assert [(task["action"], task["kind"], task["namespace"]) for task in tasks] == [
        ("create", "Namespace", ""),
        ("update", "Secret", "shop"),
    ]
    assert "hunter2" not in done.stdout


def test_a_plan_of_what_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "git.yaml").write_text(WIDGET)

    done = run("plan", tmp_path / "git.yaml")

    assert (done.returncode, done.stdout) == (2, "")
    assert "stands twice" in done.stderr


ENCRYPTED = """\
apiVersion: %s
kind: %s
metadata: {name: db, namespace: shop}
data: {password: "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]"}
sops: {mac: "ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]", version: 3.13.2}
"""


@pytest.mark.parametrize("kind", [("v1", "Secret"), ("v1", "ConfigMap"), ("example.com/v1", "Widget")])
@pytest.mark.parametrize("command", ["plan", "validate"])
def test_what_sops_has_encrypted_is_named_before_anything_is_planned(
    tmp_path: Path, command: str, kind: tuple[str, str]
) -> None:
    (tmp_path / "secret.yaml").write_text(ENCRYPTED % kind)

    done = run(command, tmp_path)

    assert "is encrypted by SOPS" in done.stdout + done.stderr
    assert "secret.yaml" in done.stdout + done.stderr
    if command == "plan":
        assert (done.returncode, done.stdout) == (2, "")


def test_an_encrypted_list_and_a_value_are_named_by_plan(tmp_path: Path) -> None:
    members = "apiVersion: v1\nkind: List\nitems: []\nsops: {mac: x}\n"
    value = base64.b64encode(b"a: ENC[x]\nsops:\n    mac: ENC[x]\n").decode()
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{key: {value}}}\n"
    (tmp_path / "all.yaml").write_text(f"{members}---\n{secret}")

    done = run("plan", tmp_path)

    assert done.returncode == 2
    assert done.stderr.count("is encrypted by SOPS") == 2
    assert "data.key" in done.stderr


@pytest.mark.parametrize("name", ["y", "1", "null", "1.5", "2024-01-01"])
@pytest.mark.parametrize("command", ["plan", "health"])
def test_a_name_that_yaml_reads_as_something_else_is_named_and_no_traceback(
    tmp_path: Path, name: str, command: str
) -> None:
    objects = "".join(
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {each}, namespace: {name}}}\n"
        for each in (name, "web")
    )
    (tmp_path / "live.yaml").write_text(objects)
    (tmp_path / "wanted.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
    files = (
        [tmp_path / "live.yaml"]
        if command == "health"
        else [tmp_path / "wanted.yaml", "--live", tmp_path / "live.yaml"]
    )
    done = run(command, *files)
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
    if done.returncode == 2:
        assert "live.yaml:" in done.stderr
