"""What is no difference: what a server defaults, converts and fills in, and what somebody said to leave alone."""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.model import Dialect, IgnoreRule, SyncStatus
from gitops_workers.core.objects import Manifest, key_of
from gitops_workers.core.sync.preview import preview
from tests.documents import raw
from tests.integration.sync.yard import CONFIG_MAP, Yard, config_map
from tests.servers.rules import InProcess

JSON_PATCH = "application/json-patch+json"

CASES: dict[str, Manifest] = yaml.safe_load(Path(__file__).with_name("traps.yaml").read_text())
SERVER_ONLY = {"definition"}
"""What only a server knows to be no difference: `plan` without one says `update`."""


def of(yard: Yard, manifest: Manifest) -> Manifest:
    """The manifest with this test's own names."""
    made: Manifest = json.loads(json.dumps(manifest).replace("SPACE", yard.space))
    return made


CLUSTER_WIDE = {
    "ClusterRole",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
    "CustomResourceDefinition",
}


def quiet(yard: Yard, manifest: Manifest) -> Manifest:
    """The live object when its controllers have said what they had to say."""
    key = key_of(manifest)
    namespaced = manifest["kind"] not in CLUSTER_WIDE
    key = key._replace(namespace=yard.space if namespaced else "")
    versions: list[str] = []

    def settled() -> Manifest | None:
        live = yard.real.open("east").get(key, manifest["apiVersion"].rpartition("/")[2])
        versions.append(live["metadata"]["resourceVersion"] if live else "")
        return live if live and versions[-3:] == [versions[-1]] * 3 else None

    found: Manifest = yard.until(settled, "an object at rest")
    return found


def look_afresh(yard: Yard) -> None:
    """Compare everything by a dry-run, as after the loss of Redis, and let time pass."""
    yard.state.discard(raw("agreement"), yard.app)
    yard.ask(yard.app)
    yard.run(70)


def at_rest(yard: Yard, manifest: Manifest, written: list[str]) -> Manifest:
    """Nobody writes the object any more, however often it is compared; the live object."""
    before = quiet(yard, manifest)
    written.clear()
    for _ in range(2):
        look_afresh(yard)
        assert yard.status(yard.app).sync is SyncStatus.SYNCED
        yard.poll_cluster()
    assert written == []
    after = quiet(yard, manifest)
    assert after["metadata"]["managedFields"] == before["metadata"]["managedFields"]
    return after


@pytest.mark.parametrize("case", CASES)
def test_what_a_server_makes_of_a_manifest_is_at_rest(yard: Yard, written: list[str], case: str) -> None:
    manifest = of(yard, CASES[case])
    yard.adopt()
    yard.commit(manifest)
    try:
        yard.until_synced()
        live = at_rest(yard, manifest, written)
        (planned,) = preview(yard.applications[yard.app], [manifest], [live]).tasks
        assert (planned.action == "none") is (case not in SERVER_ONLY), planned.why
    finally:
        if manifest["kind"] in CLUSTER_WIDE:
            yard.commit()
            yard.ask(yard.app, prune=True)
            yard.run(5)


def test_rules_that_a_controller_has_filled_in_stay(yard: Yard) -> None:
    manifest = of(yard, CASES["aggregated-cluster-role-with-empty-rules"])
    yard.adopt()
    yard.commit(manifest)
    yard.until_synced()
    assert yard.until(lambda: quiet(yard, manifest).get("rules"), "the controller's rules")
    look_afresh(yard)
    assert quiet(yard, manifest)["rules"]
    yard.commit()
    yard.ask(yard.app, prune=True)
    yard.run(5)


def test_a_certificate_that_another_manager_injects_stays(yard: Yard, written: list[str]) -> None:
    """cert-manager's ca-injector writes what Git leaves out."""
    manifest = of(yard, CASES["webhook-configuration"])
    yard.adopt()
    yard.commit(manifest)
    yard.until_synced()
    path = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{yard.space}"
    bundle = base64.b64encode(yard.plane.ca_pem.encode()).decode()
    patch = [{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle}]
    sent = yard.plane.call("PATCH", f"{path}?fieldManager=cainjector", patch, content_type=JSON_PATCH)
    assert sent[0] == 200, sent
    at_rest(yard, manifest, written)
    changed = copy.deepcopy(manifest)
    changed["webhooks"][0]["timeoutSeconds"] = 3
    yard.commit(changed)
    yard.until_synced()
    (hook,) = quiet(yard, manifest)["webhooks"]
    assert (hook["clientConfig"]["caBundle"], hook["timeoutSeconds"]) == (bundle, 3)
    assert yard.plane.call("DELETE", path)[0] == 200


# --- differences to leave alone -------------------------------------------------------------------------------------

TARGET = (("kind", "ConfigMap"),)
RULES = {
    "jsonPointers": (Dialect.ARGOCD, IgnoreRule(kind="ConfigMap", pointers=("/data/v",))),
    "jqPathExpressions": (Dialect.ARGOCD, IgnoreRule(kind="ConfigMap", jq=('.data | select(.other == "1") | .v',))),
    "managedFieldsManagers": (Dialect.ARGOCD, IgnoreRule(kind="ConfigMap", managers=("tuner",))),
    "flux": (Dialect.FLUX, IgnoreRule(target=TARGET, pointers=("/data/v",))),
}
WAYS = [(name, respected) for name in RULES for respected in (False, True) if name != "flux" or respected]


@pytest.mark.parametrize(("name", "respected"), WAYS)
def test_an_ignored_field_is_no_difference_and_is_left_alone_where_that_is_asked_for(
    yard: Yard, written: list[str], name: str, respected: bool
) -> None:
    dialect, rule = RULES[name]
    yard.context = replace(yard.context, rules=UserRules(InProcess()))
    yard.adopt(dialect, respect_ignored=respected)
    yard.applications[yard.app] = replace(yard.applications[yard.app], ignore=(rule,))
    yard.enroll()
    first = config_map("x", v="1", other="1")
    yard.commit(first)
    yard.until_synced()
    path = f"/api/v1/namespaces/{yard.space}/configmaps/x"
    assert yard.plane.call("PATCH", f"{path}?fieldManager=tuner", {"data": {"v": "9"}})[0] == 200
    yard.poll_cluster()
    at_rest(yard, first, written)
    assert yard.there(CONFIG_MAP, "x")["data"] == {"v": "9", "other": "1"}

    yard.commit({**config_map("x", v="1", other="1"), "immutable": False})
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "x")["data"] == {"v": "9" if respected else "1", "other": "1"}
    at_rest(yard, first, written)


@pytest.mark.parametrize("marked", [True, False])
def test_an_object_that_left_git_is_no_difference_where_it_says_so(
    yard: Yard, written: list[str], marked: bool
) -> None:
    yard.adopt(prune=False)
    extra = config_map("extra", v="1")
    extra["metadata"]["annotations"] = {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"} if marked else {}
    yard.commit(config_map("x", v="1"), extra)
    yard.until_synced()
    yard.commit(config_map("x", v="1"))
    yard.run(5)
    assert yard.status(yard.app).sync is (SyncStatus.SYNCED if marked else SyncStatus.OUT_OF_SYNC)
    if marked:
        at_rest(yard, extra, written)
