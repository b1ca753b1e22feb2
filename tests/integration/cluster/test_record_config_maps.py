"""The records as other tools and people find them in the cluster."""

from __future__ import annotations

import json
import uuid

import pytest

from gitops_workers.adapters.cluster.records import ConfigMapRecords
from gitops_workers.core.errors import ApplyRefused, Refused
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import InventoryItem, Record, applyset_id, record_name
from tests.contract.cluster_grounds import transport_of

HOME = "/api/v1/namespaces/gitops-workers"


@pytest.fixture
def east(planes):
    return planes[0]


@pytest.fixture
def app() -> str:
    return f"kustomization/flux-system/apps-{uuid.uuid4().hex[:8]}"


def item(kind: str, namespace: str, name: str = "a", group: str = "") -> InventoryItem:
    return InventoryItem(ObjectKey(group, kind, namespace, name), "v1")


def test_a_record_is_an_applyset_parent(east, app):
    inventory = (item("Secret", "shop"), item("Deployment", "web", group="apps"), item("Namespace", ""))
    ConfigMapRecords(transport_of(east)).store(Record(app, 1, inventory), None)
    code, found = east.call("GET", f"{HOME}/configmaps/{record_name(app)}")
    assert code == 200
    assert found["metadata"]["labels"]["applyset.kubernetes.io/id"] == applyset_id(app)
    annotations = found["metadata"]["annotations"]
    assert annotations["applyset.kubernetes.io/tooling"] == "gitops-workers/v1"
    assert annotations["applyset.kubernetes.io/contains-group-kinds"] == "Deployment.apps,Namespace,Secret"
    assert annotations["applyset.kubernetes.io/additional-namespaces"] == "shop,web"
    assert json.loads(found["data"]["record"])["generation"] == 1


def test_the_namespace_of_the_records_is_made_when_it_is_missing(planes):
    west = planes.named("west")
    west.call("DELETE", HOME)
    while west.call("GET", HOME)[0] != 404:
        pass  # its controller empties it; bounded by the test's timeout
    records = ConfigMapRecords(transport_of(west))
    assert records.load("application/a/b") is None
    assert west.call("GET", HOME)[0] == 404
    records.store(Record("application/a/b", 3), None)
    assert records.load("application/a/b").record.generation == 3


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"record": ""},
        {"record": "{"},
        {"record": "[]"},
        {"record": '{"version": 2}'},
        {"record": '{"version": 1, "app": "application/other/one", "generation": 1, "inventory": [], "history": []}'},
        {"record": '{"version": 1, "app": "%s", "generation": -1, "inventory": [], "history": []}'},
        {"record": '{"version": 1, "app": "%s", "generation": 1, "history": []}'},
        {"record": '{"version": 1, "app": "%s", "generation": 1, "inventory": [["a"]], "history": []}'},
        {"record": '{"version": 1, "app": "%s", "generation": 1, "inventory": [], "history": [[1]]}'},
    ],
)
def test_a_record_that_was_edited_to_nonsense_is_never_an_empty_one(east, app, data):
    records = ConfigMapRecords(transport_of(east))
    version = records.store(Record(app, 5, (item("Secret", "shop"),)), None)
    path = f"{HOME}/configmaps/{record_name(app)}"
    broken = east.call("GET", path)[1]
    broken["data"] = {name: text.replace("%s", app) for name, text in (data or {}).items()}
    assert east.call("PUT", path, broken)[0] == 200
    with pytest.raises(Refused, match=f"gitops-workers/{record_name(app)}.*restore it"):
        records.load(app)
    assert version


def test_a_record_that_does_not_fit_says_what_to_do(east, app):
    inventory = tuple(item("ConfigMap", "shop", f"{number:0200}") for number in range(5000))
    with pytest.raises(ApplyRefused, match=r"5000 objects.*split the application"):
        ConfigMapRecords(transport_of(east)).store(Record(app, 1, inventory), None)


def test_five_thousand_ordinary_objects_fit(east, app):
    inventory = tuple(item("Deployment", "checkout-production", f"service-{n:06}", "apps") for n in range(5000))
    records = ConfigMapRecords(transport_of(east))
    records.store(Record(app, 1, inventory), None)
    assert records.load(app).record.inventory == inventory


def test_the_name_of_a_very_long_id_is_still_a_name(east):
    app = f"application/{'n' * 63}/{uuid.uuid4().hex * 7}"
    records = ConfigMapRecords(transport_of(east))
    records.store(Record(app, 1), None)
    assert records.load(app).record.app == app
