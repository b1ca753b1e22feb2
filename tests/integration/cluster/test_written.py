"""Every request that changes a cluster leaves one line in the log, without its body; one that reads leaves none."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.testing import capture_logs

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.adapters.cluster.records import ConfigMapRecords
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.objects import GroupKind, ObjectKey
from gitops_workers.core.record.record import Record, record_name
from tests.contract.cluster_grounds import config_map, secret, transport_of
from tests.servers.scripted_api import Reply, scripted_api, serving

KIND = GroupKind("", "ConfigMap")
PASSWORD = "correct-horse-battery"


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs(processors=[merge_contextvars]) as found:
        yield found


@pytest.fixture
def east(planes: Any) -> HttpCluster:
    return HttpCluster(transport_of(planes[0]))


def written(lines: list[Any]) -> list[tuple[str, str, str]]:
    return [(line["verb"], line["object"], line["result"]) for line in lines if line["event"] == "cluster_write"]


def test_each_kind_of_write_is_one_line_that_names_object_verb_and_result(east: HttpCluster, lines: list[Any]) -> None:
    name = f"settings-{uuid.uuid4().hex[:6]}"
    key = ObjectKey("", "ConfigMap", "default", name)
    live = east.apply(config_map("default", name, a="1"), dry_run=False).manifest
    version = live["metadata"]["resourceVersion"]
    live = east.replace({**live, "data": {"a": "2"}}, dry_run=False, resource_version=version).manifest
    metadata = live["metadata"]
    version = east.set_managed_fields(key, metadata["managedFields"], resource_version=metadata["resourceVersion"])
    east.set_finalizers(key, ["a.example/b"], resource_version=version)
    current = east.get(key)
    assert current is not None
    east.set_finalizers(key, [], resource_version=current["metadata"]["resourceVersion"])
    east.delete(key, uid=metadata["uid"])
    east.delete(key, uid=metadata["uid"])
    shown = f"ConfigMap default/{name}"
    assert written(lines) == [
        ("apply", shown, "201"),
        ("replace", shown, "200"),
        ("patch", shown, "200"),
        ("patch", shown, "200"),
        ("patch", shown, "200"),
        ("delete", shown, "200"),
        ("delete", shown, "404"),
    ]
    assert {line["log_level"] for line in lines} == {"info"}


def test_a_line_bears_the_cluster_the_time_and_what_is_bound(east: HttpCluster, lines: list[Any], planes: Any) -> None:
    with bound_contextvars(application="application/argocd/web", attempt=7, operation="abc"):
        east.apply(config_map("default", f"a-{uuid.uuid4().hex[:6]}"), dry_run=False)
    (line,) = lines
    assert line["cluster"] == planes[0].name
    assert line["milliseconds"] > 0
    assert (line["application"], line["attempt"], line["operation"]) == ("application/argocd/web", 7, "abc")


def test_no_line_shows_a_body(east: HttpCluster, lines: list[Any]) -> None:
    east.apply(secret("default", f"s-{uuid.uuid4().hex[:6]}", PASSWORD), dry_run=False)
    assert len(lines) == 1
    assert PASSWORD not in str(lines)
    assert "password" not in str(lines)


def test_whatever_reads_and_every_dry_run_leaves_no_line(east: HttpCluster, lines: list[Any]) -> None:
    manifest = config_map("default", f"a-{uuid.uuid4().hex[:6]}")
    east.apply(manifest, dry_run=True)
    east.get(ObjectKey("", "ConfigMap", "default", manifest["metadata"]["name"]))
    east.list_metadata([KIND])
    east.discovery(refresh=True)
    assert lines == []


def test_a_record_is_written_like_every_other_object(planes: Any, lines: list[Any]) -> None:
    records = ConfigMapRecords(transport_of(planes[0]))
    app = f"application/argocd/{uuid.uuid4().hex[:8]}"
    version = records.store(Record(app, 1), None)
    version = records.store(Record(app, 2), version)
    records.delete(app, version)
    shown = f"ConfigMap gitops-workers/{record_name(app)}"
    mine = [line for line in written(lines) if line[1] == shown and line[2] != "404"]
    assert mine == [("create", shown, "201"), ("replace", shown, "200"), ("delete", shown, "200")]


CUT: Callable[[str, str, dict[str, str]], Reply] = lambda method, path, headers: Reply(cut=0)  # noqa: E731, ARG005


def test_a_write_without_an_answer_is_logged_as_that(lines: list[Any]) -> None:
    with scripted_api(serving(CUT)) as api:
        cluster = HttpCluster(Transport(ClusterAccess("east", api.url), connect_timeout=1, read_timeout=1))
        with pytest.raises(ClusterUnavailable):
            cluster.apply(config_map("shop", "a"), dry_run=False)
    assert written(lines) == [("apply", "ConfigMap shop/a", "no answer")]
