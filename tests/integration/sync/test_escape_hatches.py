"""What server-side apply cannot bring about, and every door that leads out: on a real API server."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.model import Dialect, Phase, SyncStatus
from gitops_workers.core.objects import GroupKind, Manifest
from tests.integration.sync.test_differences import JSON_PATCH, at_rest
from tests.integration.sync.test_mishaps import tell
from tests.integration.sync.yard import DEPLOYMENT, Yard, deployment, job

SERVICE = GroupKind("", "Service")
OPTIONS = "argocd.argoproj.io/sync-options"
FLUX_FORCE = "kustomize.toolkit.fluxcd.io/force"


@pytest.fixture
def applies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The server-side applies of Services, dry-runs included."""
    found: list[str] = []
    plain = Transport.request

    def recorded(self: Transport, method: str, path: str, *rest: Any, **named: Any) -> Any:
        if method == "PATCH" and "/services/" in path and "apply" in str(named.get("content_type")):
            found.append(path)
        return plain(self, method, path, *rest, **named)

    monkeypatch.setattr(Transport, "request", recorded)
    return found


def service(port: int = 80, options: str = "", **spec: Any) -> Manifest:
    annotations = {OPTIONS: options} if options else {}
    ports = [{"name": "http", "port": port, "targetPort": 8080}]
    body = {"type": "NodePort", "selector": {"app": "web"}, "ports": ports, **spec}
    metadata = {"name": "web", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}


def edit(yard: Yard, port: int) -> None:
    """As `kubectl edit` does."""
    path = f"/api/v1/namespaces/{yard.space}/services/web"
    patch = [{"op": "replace", "path": "/spec/ports/0/port", "value": port}]
    sent = yard.plane.call("PATCH", f"{path}?fieldManager=kubectl-edit", patch, content_type=JSON_PATCH)
    assert sent[0] == 200, sent


def ports(yard: Yard) -> list[int]:
    return [port["port"] for port in yard.there(SERVICE, "web")["spec"]["ports"]]


def uid(yard: Yard, kind: GroupKind = SERVICE) -> str:
    return str(yard.there(kind, "web")["metadata"]["uid"])


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("options", ["", "Force=true", "Replace=true"])
def test_a_port_that_was_edited_by_hand_becomes_git_s_again(
    yard: Yard, dialect: Dialect, options: str, written: list[str]
) -> None:
    yard.adopt(dialect)
    wanted = service(options=options)
    yard.commit(wanted)
    yard.until_synced()
    before = yard.there(SERVICE, "web")
    edit(yard, 8081)
    assert ports(yard) == [8081]

    yard.poll_cluster()
    yard.until(lambda: ports(yard) == [80], "the self-heal")
    yard.until(lambda: yard.status(yard.app).sync is SyncStatus.SYNCED, "the status")
    after = yard.there(SERVICE, "web")
    assert after["metadata"]["uid"] == before["metadata"]["uid"], "nothing had to be deleted"
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    assert after["spec"]["ports"] == before["spec"]["ports"], "the node port is the same"
    at_rest(yard, wanted, written)

    yard.commit(service(81, options))
    yard.until_synced()
    assert ports(yard) == [81]


def test_a_later_commit_and_a_sync_by_hand_are_not_blocked_by_it(yard: Yard) -> None:
    yard.adopt(automated=False)
    yard.commit(service())
    yard.ask(yard.app)
    yard.until_synced()
    edit(yard, 8081)
    yard.commit(service(82))
    yard.ask(yard.app, force=True)
    yard.until_synced()
    assert ports(yard) == [82]


def test_what_others_added_to_an_object_outlives_the_full_update(yard: Yard) -> None:
    yard.adopt()
    yard.commit(service())
    yard.until_synced()
    path = f"/api/v1/namespaces/{yard.space}/services/web?fieldManager=somebody"
    assert yard.plane.call("PATCH", path, {"metadata": {"labels": {"theirs": "1"}}})[0] == 200
    edit(yard, 8081)
    yard.poll_cluster()
    yard.until(lambda: ports(yard) == [80], "the self-heal")
    assert yard.there(SERVICE, "web")["metadata"]["labels"]["theirs"] == "1"


def test_a_stranger_s_object_is_not_overwritten(yard: Yard) -> None:
    """Nobody's marks are on it: that the merge is invalid stays a refusal."""
    taken = service(8081)
    path = f"/api/v1/namespaces/{yard.space}/services?fieldManager=somebody"
    assert yard.plane.call("POST", path, taken)[0] == 201
    yard.adopt()
    yard.commit(service())
    tell(yard, "Duplicate value")
    assert ports(yard) == [8081]


def test_replace_asks_for_no_server_side_apply(yard: Yard, applies: list[str]) -> None:
    yard.adopt()
    yard.commit(service(options="Replace=true"))
    yard.until_synced()
    edit(yard, 8081)
    yard.poll_cluster()
    yard.until(lambda: ports(yard) == [80], "the self-heal")
    yard.commit(service(83, "Replace=true"))
    yard.until_synced()
    assert applies == []


def test_replace_with_force_makes_a_new_object(yard: Yard, applies: list[str]) -> None:
    yard.adopt()
    yard.commit(service(options="Replace=true,Force=true"))
    yard.until_synced()
    first = uid(yard)
    edit(yard, 8081)
    yard.poll_cluster()
    yard.until(lambda: yard.get(SERVICE, "web") and ports(yard) == [80], "the self-heal")
    assert uid(yard) != first
    assert applies == []


TWICE: dict[str, list[dict[str, Any]]] = {
    "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}],
    "ports": [{"name": "a", "containerPort": 80}, {"name": "b", "containerPort": 80}],
}


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("options", ["", "Replace=true", "Replace=true,Force=true"])
@pytest.mark.parametrize("field", TWICE)
def test_items_that_stand_twice_are_deployed_as_create_and_update_take_them(
    yard: Yard, dialect: Dialect, options: str, field: str, written: list[str]
) -> None:
    def of(items: list[Any], replicas: int = 1) -> Manifest:
        made = deployment("web", replicas=replicas)
        if options:
            made["metadata"]["annotations"] = {OPTIONS: options}
        made["spec"]["template"]["spec"]["containers"][0][field] = items
        return made

    def live() -> list[Any]:
        return list(yard.there(DEPLOYMENT, "web")["spec"]["template"]["spec"]["containers"][0][field])

    yard.adopt(dialect)
    yard.commit(of(TWICE[field]))
    yard.until_synced()
    assert [item["name"] for item in live()] == [item["name"] for item in TWICE[field]]
    at_rest(yard, of(TWICE[field]), written)

    yard.commit(of(TWICE[field], replicas=2))
    yard.until_synced()
    assert (len(live()), yard.there(DEPLOYMENT, "web")["spec"]["replicas"]) == (2, 2)

    yard.commit(of(TWICE[field][:1]))
    yard.until_synced()
    assert len(live()) == 1, "what left Git goes, although no apply named it"


def test_the_defaults_of_another_strategy_are_in_nobody_s_way(yard: Yard, written: list[str]) -> None:
    yard.adopt()
    yard.commit(deployment("web"))
    yard.until_synced()
    first = uid(yard, DEPLOYMENT)
    recreate = deployment("web", strategy={"type": "Recreate"})
    yard.commit(recreate)
    yard.until_synced()
    assert yard.there(DEPLOYMENT, "web")["spec"]["strategy"] == {"type": "Recreate"}
    assert uid(yard, DEPLOYMENT) == first
    at_rest(yard, recreate, written)


@pytest.mark.parametrize("door", ["sync option", "application", "app sync --force", "flux object", "flux force: true"])
def test_what_cannot_be_changed_is_created_anew_with_force_alone(yard: Yard, door: str) -> None:
    """A headless Service: no server says `immutable` about its address."""

    def of(forced: bool, **spec: Any) -> Manifest:
        made = service(**spec)
        made["spec"]["type"] = "ClusterIP"
        if forced and door == "sync option":
            made["metadata"]["annotations"][OPTIONS] = "Force=true"
        if forced and door == "flux object":
            made["metadata"]["annotations"][FLUX_FORCE] = "enabled"
        return made

    yard.adopt(Dialect.FLUX if "flux" in door else Dialect.ARGOCD)
    yard.commit(of(False))
    yard.until_synced()
    first = uid(yard)
    yard.commit(of(False, clusterIP="None"))
    tell(yard, "was refused (422)")
    assert uid(yard) == first

    if door in ("application", "flux force: true"):
        yard.adopt(Dialect.FLUX if "flux" in door else Dialect.ARGOCD, force=True)
    yard.commit(of(True, clusterIP="None"))
    if door == "app sync --force":
        yard.ask(yard.app, force=True)
    yard.until_synced()
    assert uid(yard) != first
    assert yard.there(SERVICE, "web")["spec"]["clusterIP"] == "None"


def test_nothing_is_deleted_for_an_object_that_the_server_would_not_take(yard: Yard) -> None:
    yard.adopt(force=True)
    yard.commit(deployment("web"))
    yard.until_synced()
    first = uid(yard, DEPLOYMENT)
    broken = deployment("web", selector={"matchLabels": {"app": "nobody"}})
    yard.commit(broken)
    message = tell(yard, "was refused (422)")
    assert "selector" in message
    assert uid(yard, DEPLOYMENT) == first


def test_a_hook_may_name_a_variable_twice(yard: Yard) -> None:
    hook = job("before", hook="PreSync")
    hook["spec"]["template"]["spec"]["containers"][0]["env"] = copy.deepcopy(TWICE["env"])
    yard.adopt()
    yard.commit(hook, service())
    yard.until_phase(Phase.SUCCEEDED)
    assert ports(yard) == [80]
