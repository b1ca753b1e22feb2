"""The copy of a cluster's record that the state store keeps, so that an attempt need not ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.model import AppId
from gitops_workers.core.record import record_document
from gitops_workers.core.record.record import Record, StoredRecord


@dataclass(frozen=True, slots=True)
class RecordCopy:
    """A copy of nothing (`record` None) says that the record is to be read from the cluster.

    `lost`: the cluster did not have this record any more. It is read from there, and rebuilt from this if missing.
    """

    cluster: str = ""
    resource_version: str = ""
    record: Record | None = None
    lost: bool = False

    def holds(self, app: AppId, cluster: str) -> bool:
        """Whether it says what is in the record of this application in this cluster."""
        return self.record is not None and self.record.app == app and self.cluster == cluster

    def known_in(self, cluster: str) -> bool:
        """Whether it says that there was a record in this cluster."""
        return self.cluster == cluster and (self.lost or self.record is not None)


def copy_of(cluster: str, stored: StoredRecord) -> RecordCopy:
    """The copy of a record as just read or written."""
    return RecordCopy(cluster, stored.resource_version, stored.record)


def to_json(copy: RecordCopy) -> dict[str, Any]:
    """The copy as JSON data."""
    record = record_document.to_json(copy.record) if copy.record is not None else None
    document = {"cluster": copy.cluster, "resourceVersion": copy.resource_version, "record": record}
    return {**document, "lost": True} if copy.lost else document


def from_json(value: Any) -> RecordCopy:
    """The copy in JSON data. Raises ValueError."""
    if not isinstance(value, Mapping) or "record" not in value:
        raise ValueError("it is no copy of a record")
    cluster, version, lost = value.get("cluster"), value.get("resourceVersion"), value.get("lost", False)
    if not isinstance(cluster, str) or not isinstance(version, str) or not isinstance(lost, bool):
        raise ValueError("cluster, resourceVersion or lost does not fit")  # noqa: TRY004 - callers catch one type
    record = record_document.parse(value["record"]) if value["record"] is not None else None
    return RecordCopy(cluster, version, record, lost)


def unread(value: Any, _reason: str) -> RecordCopy:
    """A copy that cannot be read, never one that says that there is no record; where it was lost, that stays true."""
    if not isinstance(value, Mapping) or not isinstance(cluster := value.get("cluster"), str):
        return RecordCopy()
    return RecordCopy(cluster, lost=value.get("lost") is True or value.get("record") is not None)
