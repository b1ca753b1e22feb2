"""What goes wrong in a cluster: the status names it, nothing is lost, nobody else waits, and mending it is enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.model import AppId, Dialect, HealthStatus, SyncStatus
from gitops_workers.core.objects import GroupKind, Manifest
from tests.integration.sync.test_waves import definition
from tests.integration.sync.yard import CONFIG_MAP, Yard, config_map

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
FINALIZER = "example.com/held"
WAVES = 1000

every_dialect = pytest.mark.parametrize("dialect", list(Dialect))


def beside(yard: Yard, path: str, **changes: Any) -> AppId:
    """Another application of the same namespace, with the files under `path`."""
    base = yard.applications[yard.app]
    source = replace(base.source, path=path)
    other = replace(base, id=f"{base.id}-{path}", source=source, sync=replace(base.sync, **changes))
    yard.applications[other.id] = other
    yard.enroll()
    return other.id


def commit_all(yard: Yard, **paths: list[Manifest]) -> str:
    """Push the objects of several applications at once."""
    return yard.commit_files(
        {
            f"{path}/{number}.json": json.dumps(item)
            for path, objects in paths.items()
            for number, item in enumerate(objects)
        }
    )


def tell(yard: Yard, words: str, app: AppId = "") -> str:
    """Wait for these words in the application's status; the whole sentence."""
    app = app or yard.app

    def said() -> str:
        message = yard.status(app).message
        return message if words in message else ""

    return str(yard.until(said, f"a status that says {words!r}"))


def value(yard: Yard, name: str) -> str | None:
    """What a ConfigMap says under `v`; None when there is none."""
    live = yard.get(CONFIG_MAP, name)
    return live["data"]["v"] if live else None


def path_of(yard: Yard, name: str) -> str:
    return f"/api/v1/namespaces/{yard.space}/configmaps/{name}"


def set_finalizers(yard: Yard, name: str, *finalizers: str) -> None:
    body = {"metadata": {"finalizers": list(finalizers)}}
    assert yard.plane.call("PATCH", path_of(yard, name), body)[0] == 200


# --- definitions ----------------------------------------------------------------------------------------------------


@pytest.fixture
def rivals(yard: Yard) -> Iterator[tuple[Manifest, Manifest]]:
    """Two definitions that claim one name, so that the later one is never established."""
    group = f"{yard.space}.example.com"
    first, second = definition(GroupKind(group, "Lamp")), definition(GroupKind(group, "Lamp"))
    second["metadata"]["name"] = f"torches.{group}"
    second["spec"]["names"] = {"kind": "Torch", "plural": "torches", "singular": "torch", "listKind": "LampList"}
    yield first, second
    for item in (first, second):
        yard.plane.call("DELETE", f"{DEFINITIONS}/{item['metadata']['name']}")


@every_dialect
def test_a_definition_that_is_never_established_is_named_until_its_name_is_free(
    yard: Yard, rivals: tuple[Manifest, Manifest], dialect: Dialect
) -> None:
    first, second = rivals
    group = second["spec"]["group"]
    assert yard.plane.call("POST", DEFINITIONS, first)[0] == 201
    served = f"/apis/{group}/v1/namespaces/{yard.space}/lamps"
    yard.until(lambda: yard.plane.call("GET", served)[0] == 200, "the first definition")
    torch = {"apiVersion": f"{group}/v1", "kind": "Torch", "metadata": {"name": "one"}, "spec": {"lit": True}}

    yard.adopt(dialect)
    yard.commit(second, torch, config_map("settings", wave=1, v="1"))
    message = tell(yard, '"LampList" is already in use')
    assert f"CustomResourceDefinition.apiextensions.k8s.io torches.{group}" in message
    assert value(yard, "settings") is None, "what stands on it was not begun"

    assert yard.plane.call("DELETE", f"{DEFINITIONS}/{first['metadata']['name']}")[0] == 200
    yard.until_synced()
    assert yard.there(GroupKind(group, "Torch"), "one")["spec"] == {"lit": True}
    assert value(yard, "settings") == "1"


# --- objects that cannot go -----------------------------------------------------------------------------------------


@every_dialect
def test_an_object_on_its_way_out_is_written_and_created_anew_when_it_is_gone(yard: Yard, dialect: Dialect) -> None:
    yard.adopt(dialect)
    yard.commit(config_map("held", v="1"), config_map("other", v="1"))
    yard.until_synced()
    old = yard.there(CONFIG_MAP, "held")["metadata"]["uid"]
    set_finalizers(yard, "held", FINALIZER)
    assert yard.plane.call("DELETE", path_of(yard, "held"))[0] == 200

    yard.commit(config_map("held", v="2"), config_map("other", v="2"))
    yard.until(lambda: value(yard, "held") == value(yard, "other") == "2", "both writes")
    yard.run(60)
    status = yard.status(yard.app)
    assert status.health in {HealthStatus.PROGRESSING, HealthStatus.IN_PROGRESS}
    assert f"ConfigMap {yard.space}/held: " in status.health_message
    assert "deletion" in status.health_message
    assert yard.there(CONFIG_MAP, "held")["metadata"]["uid"] == old

    set_finalizers(yard, "held")
    yard.until(lambda: value(yard, "held") == "2", "the new object")
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "held")["metadata"]["uid"] != old


def test_a_prune_that_a_finalizer_holds_up_names_it_and_what_stands_below_waits(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("kept", v="1"), config_map("below", v="1"), config_map("held", wave=1, v="1"))
    yard.until_synced()
    set_finalizers(yard, "held", FINALIZER)

    yard.commit(config_map("kept", v="2"))
    tell(yard, f"Waiting for the end of ConfigMap {yard.space}/held (finalizers: {FINALIZER}).")
    yard.run(60)
    assert value(yard, "below") == "1"

    set_finalizers(yard, "held")
    yard.until_synced()
    assert yard.operation.message == "1 object applied, 2 pruned."
    assert value(yard, "kept") == "2"
    yard.until(lambda: value(yard, "below") is None, "the prune below")


@every_dialect
def test_a_prune_that_nothing_waits_for_says_who_holds_what_is_still_there(yard: Yard, dialect: Dialect) -> None:
    yard.adopt(dialect)
    yard.commit(config_map("kept", v="1"), config_map("gone", v="1"), config_map("held", v="1"))
    yard.until_synced()
    set_finalizers(yard, "held", FINALIZER)
    yard.commit(config_map("kept", v="2"))
    yard.until_synced()
    still = f"Still there: ConfigMap {yard.space}/held (finalizers: {FINALIZER}"
    assert yard.operation.message.startswith(f"1 object applied, 2 pruned. {still}")
    assert "gone" not in yard.operation.message


@pytest.mark.parametrize("options", ["Force=true", "Replace=true,Force=true"])
def test_an_object_that_is_to_be_created_anew_is_waited_for_while_somebody_holds_it(yard: Yard, options: str) -> None:
    def fixed(text: str) -> Manifest:
        made = config_map("held", v=text)
        made["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] = options
        return {**made, "immutable": True}

    yard.adopt()
    yard.commit(fixed("1"), config_map("other", v="1"))
    yard.until_synced()
    set_finalizers(yard, "held", FINALIZER)

    yard.commit(fixed("2"), config_map("other", v="2"))
    tell(yard, f"Waiting for the end of ConfigMap {yard.space}/held (finalizers: {FINALIZER}).")
    assert value(yard, "other") == "2"
    assert value(yard, "held") == "1"

    set_finalizers(yard, "held")
    yard.until_synced()
    assert value(yard, "held") == "2"


# --- what the API server refuses ------------------------------------------------------------------------------------


@pytest.fixture
def dead_webhook(yard: Yard) -> Iterator[str]:
    """A webhook without a server, for the ConfigMaps of this test's namespace; its path."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    hook = {
        "name": "guard.example.com",
        "clientConfig": {"service": {"namespace": yard.space, "name": "guard"}},
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": yard.space}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Fail",
    }
    status, answer = yard.plane.call("POST", WEBHOOKS, {"metadata": {"name": yard.space}, "webhooks": [hook]})
    assert status == 201, answer
    yield f"{WEBHOOKS}/{yard.space}"
    yard.plane.call("DELETE", f"{WEBHOOKS}/{yard.space}")


def secret(name: str, text: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"v": text}}


def test_a_webhook_whose_server_is_down_stops_what_it_guards_and_nothing_else(yard: Yard, dead_webhook: str) -> None:
    probe = path_of(yard, "").rstrip("/") + "?dryRun=All"
    yard.until(lambda: yard.plane.call("POST", probe, config_map("probe", v="1"))[0] == 500, "the webhook")
    yard.adopt()
    other = beside(yard, "other")
    commit = commit_all(yard, web=[config_map("a", v="1"), secret("b", "1")], other=[secret("c", "1")])
    message = tell(yard, 'failed calling webhook "guard.example.com"')
    assert message.startswith(f"ConfigMap {yard.space}/a in cluster east")
    assert 'service "guard" not found; look at the webhook\'s own service' in message
    yard.until(lambda: yard.status(other).sync is SyncStatus.SYNCED, "the other application")
    assert yard.status(other).revision == commit
    assert yard.get(GroupKind("", "Secret"), "b") is None, "nothing was written before everything was tried"

    assert yard.plane.call("DELETE", dead_webhook)[0] == 200
    yard.until_synced()
    assert value(yard, "a") == "1"


def test_annotations_that_are_too_large_are_refused_in_one_sentence(yard: Yard) -> None:
    yard.adopt()
    yard.commit(config_map("a", v="1"), config_map("b", v="1"))
    yard.until_synced()
    large = config_map("a", v="2")
    large["metadata"]["annotations"] |= {f"example.com/{half}": half * 140_000 for half in "xy"}
    yard.commit(large, config_map("b", v="2"))
    message = tell(yard, "metadata.annotations: Too long: may not be more than 262144 bytes")
    assert message.startswith(f"ConfigMap {yard.space}/a in cluster east")
    assert len(message) < 400
    assert (value(yard, "a"), value(yard, "b")) == ("1", "1")

    yard.commit(config_map("a", v="2"), config_map("b", v="2"))
    yard.until_synced()
    assert (value(yard, "a"), value(yard, "b")) == ("2", "2")


# --- many waves -----------------------------------------------------------------------------------------------------


def test_a_thousand_waves_are_applied_in_order_by_one_task(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wave that is healthy at once costs no step: two requests per object, and a few for the whole."""
    asked: list[tuple[str, str, bool]] = []
    plain = Transport.request

    def recorded(self: Transport, method: str, path: str, query: Any = None, *rest: Any, **named: Any) -> Any:
        asked.append((method, path, "dryRun" in (query or {})))
        return plain(self, method, path, query, *rest, **named)

    monkeypatch.setattr(Transport, "request", recorded)
    yard.adopt()
    yard.commit(*(config_map(f"wave-{number:03}", wave=number, v="1") for number in reversed(range(WAVES))))
    steps = yard.run()
    status = yard.status(yard.app)
    assert (status.sync, status.message) == (SyncStatus.SYNCED, f"{WAVES} objects applied.")
    assert steps.count(f"reconcile {yard.app}") == 1
    written = [path for method, path, trial in asked if method == "PATCH" and not trial]
    assert written == [path_of(yard, f"wave-{number:03}") for number in range(WAVES)]
    assert sum(trial for *_, trial in asked) == WAVES
    assert len(asked) - 2 * WAVES < 10


# --- two applications -----------------------------------------------------------------------------------------------


@every_dialect
def test_who_comes_second_is_told_whose_an_object_is_and_gets_it_when_it_is_given_up(
    yard: Yard, dialect: Dialect
) -> None:
    yard.adopt(dialect)
    commit_all(yard, web=[config_map("a", v="1"), config_map("own", v="1")])
    yard.until_synced()
    second = beside(yard, "second")
    claims = [config_map("a", v="2"), config_map("mine", v="2")]
    commit_all(yard, web=[config_map("a", v="1"), config_map("own", v="1")], second=claims)
    message = tell(yard, "belongs to", second)
    assert message.startswith(f"ConfigMap {yard.space}/a belongs to {yard.app}, which declares it too")
    version = yard.there(CONFIG_MAP, "a")["metadata"]["resourceVersion"]
    yard.run(300)
    assert yard.there(CONFIG_MAP, "a")["metadata"]["resourceVersion"] == version, "no war"
    assert value(yard, "mine") is None
    assert yard.status(yard.app).sync is SyncStatus.SYNCED

    commit_all(yard, web=[config_map("own", v="1")], second=claims)
    yard.until(lambda: value(yard, "a") == value(yard, "mine") == "2", "the new owner")
    yard.until(
        lambda: all(yard.status(app).sync is SyncStatus.SYNCED for app in (yard.app, second)), "both applications"
    )
    assert value(yard, "a") == "2", "the earlier owner does not prune it"
