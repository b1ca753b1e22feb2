"""What the commands without a cluster say is what the engine does on one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gitops_workers.adapters.cluster.transport import APPLY_TYPE, Transport
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest
from gitops_workers.core.record.record import PART_OF
from tests.integration.sync.yard import Yard, config_map, deployment, job

KINDS = {
    "configmaps": ("api/v1", "ConfigMap"),
    "serviceaccounts": ("api/v1", "ServiceAccount"),
    "services": ("api/v1", "Service"),
    "deployments": ("apis/apps/v1", "Deployment"),
    "jobs": ("apis/batch/v1", "Job"),
    "roles": ("apis/rbac.authorization.k8s.io/v1", "Role"),
}
RULES = {Dialect.ARGOCD: "argocd", Dialect.FLUX: "kstatus"}

every_dialect = pytest.mark.parametrize("dialect", list(Dialect))


def command(*words: str | Path) -> list[dict[str, Any]]:
    """What `gitops-workers WORDS -o json` prints."""
    argv = [sys.executable, "-m", "gitops_workers.cli", *map(str, words), "-o", "json"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def dump(yard: Yard, path: Path) -> Path:
    """What `kubectl get -l applyset.kubernetes.io/part-of -o json` prints of the namespace."""
    items = []
    for plural, (api, kind) in KINDS.items():
        status, answer = yard.plane.call("GET", f"/{api}/namespaces/{yard.space}/{plural}?labelSelector={PART_OF}")
        assert status == 200, answer
        items += [{"apiVersion": answer["apiVersion"], "kind": kind, **item} for item in answer["items"]]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return path


def files(folder: Path, objects: Sequence[Manifest]) -> Path:
    folder.mkdir()
    for number, item in enumerate(objects):
        (folder / f"{number:02}.json").write_text(json.dumps(item))
    return folder


def simple(api: str, kind: str, name: str, wave: int | None = None, **body: Any) -> Manifest:
    annotations = {} if wave is None else {"argocd.argoproj.io/sync-wave": str(wave)}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "annotations": annotations}, **body}


def service(name: str, port: int = 80) -> Manifest:
    return simple("v1", "Service", name, spec={"selector": {"app": name}, "ports": [{"port": port}]})


FIRST = (
    config_map("same", v="1"),
    config_map("changed", v="1", wave=1),
    config_map("dropped", v="1"),
    config_map("dropped-early", v="1", wave=-3),
    config_map("dropped-late", v="1", wave=2),
    service("same"),
    service("moved"),
    deployment("same"),
    simple("v1", "ServiceAccount", "dropped"),
)
SECOND = (
    deployment("new", wave=1),
    deployment("same"),
    config_map("late", v="1", wave=5),
    config_map("changed", v="2", wave=1),
    config_map("early", v="1", wave=-1),
    config_map("same", v="1"),
    simple("rbac.authorization.k8s.io/v1", "Role", "new", rules=[]),
    simple("v1", "ServiceAccount", "new"),
    service("same"),
    service("moved", port=81),
    service("new"),
)
HOOKS = (
    job("migrate", "PreSync"),
    job("prepare", "PreSync", wave=-1),
    job("within", "Sync", wave=1),
    job("smoke", "PostSync"),
    job("tell", "SyncFail"),
)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The applies and deletes that were really sent, in order: (verb, plural, name)."""
    found: list[tuple[str, str, str]] = []
    plain = Transport.request

    def recorded(self: Transport, method: str, path: str, query: Any = None, *rest: Any, **named: Any) -> Any:
        applied = method == "PATCH" and named.get("content_type") == APPLY_TYPE and "dryRun" not in (query or {})
        if applied or (method == "DELETE" and "/namespaces/gitops-workers/" not in path):
            plural, name = path.split("/")[-2:]
            found.append(("prune" if method == "DELETE" else "apply", plural, name))
        return plain(self, method, path, query, *rest, **named)

    monkeypatch.setattr(Transport, "request", recorded)
    return found


@every_dialect
def test_a_plan_is_what_the_sync_then_does_in_that_order(
    yard: Yard, tmp_path: Path, requests: list[tuple[str, str, str]], dialect: Dialect
) -> None:
    hooks = HOOKS if dialect is Dialect.ARGOCD else ()
    yard.adopt(dialect)
    yard.commit(*FIRST)
    yard.until_synced()
    live = dump(yard, tmp_path / "live.json")
    wanted = files(tmp_path / "wanted", (*SECOND, *hooks))
    plan = command("plan", wanted, "--live", live, "--dialect", dialect, "-n", yard.space)
    assert {row["action"] for row in plan} == {"create", "update", "none", "prune"} | ({"run"} if hooks else set())

    requests.clear()
    yard.commit(*SECOND, *hooks)
    yard.until_synced()
    kinds = {kind: plural for plural, (_, kind) in KINDS.items()}
    foreseen = [
        ("prune" if row["action"] == "prune" else "apply", kinds[row["kind"]], row["name"])
        for row in plan
        if row["action"] != "none" and row["phase"] != "SyncFail"
    ]
    assert requests == foreseen
    assert ("apply", "configmaps", "same") not in requests

    live = dump(yard, tmp_path / "after.json")
    again = command("plan", wanted, "--live", live, "--dialect", dialect, "-n", yard.space)
    assert [row for row in again if row["action"] not in {"none", "run"}] == []


@every_dialect
def test_the_health_of_a_dump_is_the_health_that_the_application_shows(
    yard: Yard, tmp_path: Path, dialect: Dialect
) -> None:
    yard.adopt(dialect)
    yard.commit(
        deployment("well"),
        deployment("slow", plays="hangs"),
        deployment("late", plays="hangs", progressDeadlineSeconds=1),
        job("done"),
        job("broken", plays="fails"),
        service("well"),
        config_map("well", v="1"),
    )

    def shown() -> dict[tuple[str, str], tuple[str | None, str]]:
        rows = yard.state.resources(yard.app) if yard.state.status(yard.app) else ()
        return {(row.kind, row.name): (row.health.value if row.health else None, row.message) for row in rows}

    bad = {("Deployment", "late"), ("Job", "broken")}
    good = {("Deployment", "well"), ("Job", "done")}
    ends = {"Degraded", "Failed", "Healthy", "Current"}
    yard.until(lambda: all(shown().get(key, ("",))[0] in ends for key in bad | good), "the ends of all")
    said = command("health", dump(yard, tmp_path / "live.json"), "--rules", RULES[dialect])
    assert {(row["kind"], row["name"]): (row["status"], row["message"]) for row in said} == shown()
    assert len({row["status"] for row in said}) >= 3
