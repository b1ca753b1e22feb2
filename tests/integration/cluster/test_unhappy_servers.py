"""A server that throttles, breaks or cuts is told from one that says no, and nothing is ever assumed."""

from __future__ import annotations

import pytest

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.errors import (
    ApplyRefused,
    ClusterUnavailable,
    Incomplete,
    InvalidObject,
    Retry,
    ServerFailed,
    Superseded,
    Throttled,
)
from gitops_workers.core.objects import GroupKind, ObjectKey
from tests.contract.cluster_grounds import config_map
from tests.servers.scripted_api import Reply, scripted_api, serving, status

KEY = ObjectKey("", "ConfigMap", "shop", "settings")
KIND = GroupKind("", "ConfigMap")
NO_NAMESPACE = status(404, "NotFound", 'namespaces "shop" not found', kind="namespaces", name="shop")
UNTYPED = status(500, "", "failed to create typed patch object (x): .spec.foo: field not declared in schema")
WEBHOOK = status(500, "InternalError", 'failed calling webhook "w": connection refused')
ETCD = status(500, "InternalError", "etcdserver: request timed out")
CONVERSION = status(500, "InternalError", "unable to convert: strconv.ParseInt: parsing")
SLOW = status(504, "Timeout", "Timeout: request did not complete within the allotted timeout")
ENDING = status(403, "Forbidden", "no", causes=[{"reason": "NamespaceTerminating"}])


def cluster_at(url: str) -> HttpCluster:
    return HttpCluster(Transport(ClusterAccess("east", url), connect_timeout=1, read_timeout=1))


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (Reply(401, status(401, "Unauthorized", "Unauthorized")), ClusterUnavailable, "expired"),
        (Reply(403, status(403, "Forbidden", 'User "system:anonymous" cannot')), ClusterUnavailable, "anonymous"),
        (Reply(403, status(403, "Forbidden", "exceeded quota")), ApplyRefused, "exceeded quota"),
        (Reply(403, ENDING), Retry, "being deleted"),
        (Reply(404, NO_NAMESPACE), ApplyRefused, "CreateNamespace=true"),
        (Reply(409, status(409, "Conflict", "busy")), Retry, "busy"),
        (Reply(400, status(400, "BadRequest", "nonsense")), ApplyRefused, "nonsense"),
        (Reply(422, status(422, "Invalid", "x" * 5000 + " field is immutable")), InvalidObject, "be created anew"),
        (Reply(429, status(429, "TooManyRequests", "slow down")), Throttled, "wait"),
        (Reply(500, UNTYPED), InvalidObject, "field not declared"),
        (Reply(500, WEBHOOK), Retry, "webhook"),
        (Reply(500, ETCD), ClusterUnavailable, "etcdserver"),
        (Reply(500, CONVERSION), ServerFailed, "ConfigMap shop/settings in cluster east .* was answered with 500"),
        (Reply(504, SLOW), ServerFailed, "ConfigMap shop/settings .* Timeout"),
        (Reply(408, b""), ServerFailed, "ConfigMap shop/settings .* overloaded"),
        (Reply(502, b"<html>secret page</html>", content_type="text/html"), ServerFailed, "no Kubernetes Status"),
        (Reply(503, b"service unavailable\n", content_type="text/plain"), Retry, "APIService"),
        (Reply(200, b"<html>", content_type="text/html"), ClusterUnavailable, "without the object"),
        (Reply(200, {"a": 1}, cut=3), ClusterUnavailable, "cut the connection"),
        (Reply(200, cut=0), ClusterUnavailable, "cut the connection"),
    ],
)
def test_every_refusal_of_an_apply_says_what_to_do_next(reply, error, words):
    with scripted_api(serving(lambda *_: reply)) as api, pytest.raises(error, match=words) as caught:
        cluster_at(api.url).apply(config_map("shop"), dry_run=False)
    assert type(caught.value) is error
    assert len(str(caught.value)) < 800
    assert "secret page" not in str(caught.value)


@pytest.mark.parametrize(("code", "header", "seconds"), [(429, "7", 7), (503, "7", 7), (429, "Wed, 21 Oct 2026", 30)])
def test_the_named_time_is_handed_on(code, header, seconds):
    reply = Reply(code, status(code, "x", "x"), {"Retry-After": header})
    with scripted_api(serving(lambda *_: reply)) as api, pytest.raises(Throttled) as caught:
        cluster_at(api.url).get(KEY)
    assert caught.value.retry_after == seconds


def test_a_precondition_that_fails_is_superseded_and_not_a_failure():
    reply = Reply(409, status(409, "Conflict", "the object has been modified"))
    with scripted_api(serving(lambda *_: reply)) as api, pytest.raises(Superseded):
        cluster_at(api.url).apply(config_map("shop"), dry_run=False, resource_version="5")


def test_a_write_whose_answer_was_lost_is_not_sent_again():
    with scripted_api(serving(lambda *_: Reply(cut=0))) as api:
        cluster = cluster_at(api.url)
        cluster.discovery()
        with pytest.raises(ClusterUnavailable):
            cluster.apply(config_map("shop"), dry_run=False)
        with pytest.raises(ClusterUnavailable):
            cluster.delete(KEY, uid="u")
    assert [method for method, path in api.requests if "configmaps" in path] == ["PATCH", "DELETE"]


def test_a_read_survives_a_connection_that_the_server_had_closed():
    answers = iter([Reply(cut=0), Reply(404, status(404, "NotFound", "gone", name="settings", kind="configmaps"))])
    with scripted_api(serving(lambda *_: next(answers))) as api:
        cluster = cluster_at(api.url)
        cluster.discovery()  # leaves a connection behind, which the read then finds cut
        assert cluster.get(KEY) is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, b"404 page not found\n", content_type="text/plain"),
        Reply(404, b"<html>no such site</html>", content_type="text/html"),
        Reply(404, status(404, "NotFound", "the server could not find the requested resource")),
    ],
)
def test_a_404_that_does_not_name_the_object_is_not_its_absence(reply):
    with scripted_api(serving(lambda *_: reply)) as api:
        with pytest.raises(Retry):
            cluster_at(api.url).get(KEY)
        with pytest.raises(Retry):
            cluster_at(api.url).delete(KEY, uid="u")


def listed(names: list[str], token: str = "") -> Reply:
    items = [
        {"metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1", "labels": {}}}
        for name in names
    ]
    return Reply(body={"kind": "PartialObjectMetadataList", "metadata": {"continue": token}, "items": items or None})


GONE = Reply(410, status(410, "Expired", "too old"))


@pytest.mark.parametrize(
    ("pages", "names"),
    [
        ([listed(["a"], "t"), listed(["b"])], {"a", "b"}),
        ([listed(["a"], "t"), listed([])], {"a"}),
        ([listed(["a"], "t"), GONE, listed(["a"], "t"), listed(["c"])], {"a", "c"}),
    ],
)
def test_a_list_is_all_of_its_pages(pages, names):
    script = iter(pages)
    with scripted_api(serving(lambda *_: next(script))) as api:
        assert {key.name for key in cluster_at(api.url).list_metadata([KIND]).seen} == names


@pytest.mark.parametrize(
    "pages",
    [
        [listed(["a"], "t"), GONE, listed(["a"], "t"), GONE],
        [listed(["a"], "t"), Reply(403, status(403, "Forbidden", "list is forbidden"))],
        [listed(["a"], "t"), Reply(200, b"{", content_type="application/json")],
        [listed(["a"], "t"), Reply(200, {"kind": "ConfigMap"})],
        [listed(["a"], "t"), Reply(400, status(400, "BadRequest", "invalid continue token"))],
    ],
)
def test_a_list_with_a_page_missing_is_unknown_and_never_short(pages):
    script = iter(pages)
    with scripted_api(serving(lambda *_: next(script))) as api, pytest.raises(Incomplete):
        cluster_at(api.url).list_metadata([KIND])


def test_a_list_cut_on_the_wire_is_an_error():
    pages = iter([listed(["a"], "t"), Reply(body={"items": []}, cut=5)])
    with scripted_api(serving(lambda *_: next(pages))) as api, pytest.raises(ClusterUnavailable):
        cluster_at(api.url).list_metadata([KIND])


@pytest.mark.parametrize("name", ["..", ".", "a/b", "%2e%2e", ""])
def test_a_name_cannot_leave_its_path(name):
    with scripted_api(serving(lambda *_: Reply(500))) as api:
        with pytest.raises(ApplyRefused):
            cluster_at(api.url).apply(config_map("shop", name), dry_run=False)
        assert [path for _, path in api.requests if "configmaps" in path] == []
