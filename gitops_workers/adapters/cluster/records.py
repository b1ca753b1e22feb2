"""The port `Records`: one ConfigMap per application in namespace `gitops-workers`, an ApplySet parent (KEP-3659).

Creating is one POST, replacing is one PUT that names the resourceVersion read; the API server decides who was first.
A record that cannot be read is an error and never an empty one: an empty inventory would forget what may be pruned, an
empty fence would let an old generation write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from gitops_workers.adapters.cluster import answers, wire
from gitops_workers.adapters.cluster.connection import Answer
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.errors import ApplyRefused, ClusterUnavailable, GitOpsError, Refused, Superseded
from gitops_workers.core.model import AppId
from gitops_workers.core.objects import Manifest
from gitops_workers.core.record import record_document
from gitops_workers.core.record.record import APPLYSET_ID, NAMESPACE, Record, StoredRecord, applyset_id, record_name

TOOLING = "gitops-workers/v1"
DATA_KEY = "record"
LARGEST = 900 * 1024
"""Bytes of the JSON. An API server takes 1 MiB for all data of a ConfigMap and etcd 1.5 MiB for the whole object."""

APPLICATION = "gitops-workers.dev/application"
PAGE = 500
"""Records per page of a listing: about 1 MB."""

_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


class ConfigMapRecords:
    """The records of one destination cluster."""

    def __init__(self, transport: Transport) -> None:
        """Shares the connections of the cluster's own adapter."""
        self._transport = transport

    def load(self, app: AppId) -> StoredRecord | None:
        """See the port. Raises Refused that names the ConfigMap when somebody edited it to nonsense."""
        name = record_name(app)
        answer = self._transport.request("GET", f"{_PATH}/{name}")
        if answers.absent(answer, name):
            return None
        if answer.status != 200:
            raise self._error(answer, name)
        try:
            document = orjson.loads(answer.body)
            record = record_document.from_json(app, orjson.loads(document["data"][DATA_KEY]))
            return StoredRecord(record, document["metadata"]["resourceVersion"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            reason = str(error) if type(error) is ValueError else f"its data has no JSON under {DATA_KEY!r}"
            raise Refused(
                f"ConfigMap {NAMESPACE}/{name} in {self._transport} is no readable record of {app}: {reason}; restore "
                "it from a backup, or delete it to have it rebuilt (what only marks on objects tell of is not pruned)"
            ) from None

    def load_all(self) -> Sequence[StoredRecord]:
        """See the port. One that cannot be read is left out: whoever needs it asks for it and hears why."""
        return [stored for stored in map(_readable, self._listed()) if stored is not None]

    def holders(self) -> frozenset[AppId]:
        """See the port."""
        return frozenset(map(_application, self._listed(wire.METADATA_LIST)))

    def _listed(self, accept: str = "application/json") -> Iterator[Manifest]:
        query = {"labelSelector": APPLYSET_ID, "limit": str(PAGE)}
        while True:
            answer = self._transport.request("GET", _PATH, query, accept=accept)
            if answer.status != 200:
                raise self._error(answer, "list")
            page = orjson.loads(answer.body)
            yield from page["items"] or ()
            query["continue"] = page["metadata"].get("continue", "")
            if not query["continue"]:
                return

    def store(self, record: Record, expected: str | None) -> str:
        """See the port. Creates the namespace when it is missing. Raises ApplyRefused when the record is too large."""
        name = record_name(record.app)
        body = orjson.dumps(_config_map(record, name, expected))
        if expected is None:
            answer = self._transport.request("POST", _PATH, body=body, about=_about(name))
            if answer.status == 404 and answers.details_of(answers.status_of(answer)).get("kind") == "namespaces":
                self._create_namespace()
                answer = self._transport.request("POST", _PATH, body=body, about=_about(name))
            taken = answer.status == 409
        else:
            answer = self._transport.request("PUT", f"{_PATH}/{name}", body=body, about=_about(name))
            taken = answer.status == 409 or answers.absent(answer, name)
        if taken:
            raise Superseded(f"the record of {record.app} in {self._transport} was written by somebody else")
        if answer.status not in (200, 201):
            raise self._error(answer, name)
        try:
            return str(orjson.loads(answer.body)["metadata"]["resourceVersion"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise ClusterUnavailable(f"{self._transport} took record {name} but did not show it") from None

    def delete(self, app: AppId, expected: str) -> None:
        """See the port."""
        name = record_name(app)
        options = _delete_options(expected)
        answer = self._transport.request("DELETE", f"{_PATH}/{name}", body=options, about=_about(name))
        if answer.status == 409:
            raise Superseded(f"the record of {app} in {self._transport} was written by somebody else")
        if answer.status not in (200, 202) and not answers.absent(answer, name):
            raise self._error(answer, name)

    def _create_namespace(self) -> None:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        answer = self._transport.request(
            "POST", "/api/v1/namespaces", body=orjson.dumps(namespace), about=f"Namespace {NAMESPACE}"
        )
        if answer.status not in (201, 409):  # 409: another worker was first
            raise answers.error_of(answer, str(self._transport), f"Namespace {NAMESPACE}")

    def _error(self, answer: Answer, name: str) -> GitOpsError:
        return answers.error_of(answer, str(self._transport), f"record ConfigMap {NAMESPACE}/{name}")


def _about(name: str) -> str:
    """The record in the log of writes: written as every other object."""
    return f"ConfigMap {NAMESPACE}/{name}"


def _delete_options(resource_version: str) -> bytes:
    preconditions = {"resourceVersion": resource_version}
    return orjson.dumps({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions})


def _application(item: Manifest) -> AppId:
    return str((item["metadata"].get("annotations") or {}).get(APPLICATION, ""))


def _readable(item: Manifest) -> StoredRecord | None:
    app = _application(item)
    try:
        record = record_document.from_json(app, orjson.loads(item["data"][DATA_KEY]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    if item["metadata"]["name"] != record_name(app):
        return None  # a copy of a record under another name is nobody's
    return StoredRecord(record, item["metadata"]["resourceVersion"])


def _config_map(record: Record, name: str, expected: str | None) -> Manifest:
    text = orjson.dumps(record_document.to_json(record))
    if len(text) > LARGEST:
        raise ApplyRefused(
            f"{record.app} has {len(record.inventory)} objects and {len(record.history)} history entries: a record of"
            f" {len(text) >> 10} KiB does not fit into a ConfigMap ({LARGEST >> 10} KiB); split the application, or "
            "lower revisionHistoryLimit"
        )
    kinds = sorted({str(item.key.group_kind) for item in record.inventory})
    namespaces = sorted({item.key.namespace for item in record.inventory} - {"", NAMESPACE})
    metadata: Manifest = {
        "name": name,
        "namespace": NAMESPACE,
        "labels": {APPLYSET_ID: applyset_id(record.app), "app.kubernetes.io/managed-by": "gitops-workers"},
        "annotations": {
            "applyset.kubernetes.io/tooling": TOOLING,
            "applyset.kubernetes.io/contains-group-kinds": ",".join(kinds),
            "applyset.kubernetes.io/additional-namespaces": ",".join(namespaces),
            APPLICATION: record.app,
        },
    }
    if expected is not None:
        metadata["resourceVersion"] = expected
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {DATA_KEY: text.decode()}}
