"""Destination clusters: discovery, objects, records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.errors import Retry
from gitops_workers.core.model import AppId
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey
from gitops_workers.core.record.record import Record, StoredRecord


@dataclass(frozen=True, slots=True)
class Resource:
    """How to ask a cluster for a kind."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    versions: tuple[str, ...] = ()
    """All served versions, preferred first."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a cluster serves. `failed` are groups whose discovery did not answer: their kinds are unknown."""

    resources: Mapping[GroupKind, Resource]
    kube_version: str
    api_versions: tuple[str, ...]
    """`v1`, `apps/v1`, and `apps/v1/Deployment`, as `helm template --api-versions` wants them."""
    failed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """An object as a metadata-only LIST shows it. `generation` is 0 where the kind has none."""

    uid: str
    resource_version: str
    generation: int
    part_of: str


@dataclass(frozen=True, slots=True)
class MetadataList:
    """What a listing of some kinds found. Of the kinds in `unknown` nothing is known, and the error says why."""

    seen: Mapping[ObjectKey, ObjectMeta]
    unknown: Mapping[GroupKind, Retry]


@dataclass(frozen=True, slots=True)
class Applied:
    """The server's answer to an apply or a dry-run: the whole object, and whether it did not exist before."""

    manifest: Manifest
    created: bool


class Cluster(Protocol):
    """One destination cluster. Every method raises ClusterUnavailable, Throttled or ApplyRefused."""

    def discovery(self, *, refresh: bool = False) -> Discovery:
        """What the cluster serves; cached, read anew with `refresh` (an unknown kind, a new CRD)."""

    def list_metadata(self, kinds: Iterable[GroupKind], *, part_of: str = "") -> MetadataList:
        """All objects of these kinds that carry the part-of label, or carry it with this value.

        A kind of which one page is missing is unknown as a whole; when that is so of all kinds, its error is raised.
        """

    def get(self, key: ObjectKey, version: str = "") -> Manifest | None:
        """The live object; None only when the server says 404 for this object of a kind that it serves."""

    def apply(self, manifest: Manifest, *, dry_run: bool, resource_version: str = "", validate: bool = True) -> Applied:
        """Server-side apply, manager `gitops-workers`, conflicts forced.

        With a `resource_version` the server refuses when the object has moved on (raises Superseded). Without
        `validate` fields that the server does not know are left out instead of being refused.
        """

    def replace(self, manifest: Manifest, *, dry_run: bool, resource_version: str, validate: bool = True) -> Applied:
        """Overwrite this very version of an object as a whole: what the manifest does not have goes.

        Raises Superseded when the object has moved on or is gone.
        """

    def create(self, manifest: Manifest, *, dry_run: bool, validate: bool = True) -> Applied:
        """Create an object. Raises Superseded when there is one of this name; a dry-run only if this one were valid."""

    def set_managed_fields(
        self, key: ObjectKey, fields: Sequence[Mapping[str, Any]], *, resource_version: str, version: str = ""
    ) -> str:
        """Change who owns the fields of this very version of an object; returns its new resourceVersion.

        `fields` are the whole managedFields afterwards. Raises Superseded when the object has moved on or is gone.
        """

    def set_finalizers(
        self, key: ObjectKey, finalizers: Sequence[str], *, resource_version: str, version: str = ""
    ) -> None:
        """Leave this very version of an object with these finalizers only.

        Raises Superseded when the object has moved on; nothing happens when it is gone.
        """

    def delete(self, key: ObjectKey, *, uid: str, version: str = "", propagation: str = "Background") -> bool:
        """Delete exactly this incarnation. False when it is already gone or is another one."""


class Records(Protocol):
    """Application records in one destination cluster."""

    def load(self, app: AppId) -> StoredRecord | None:
        """The record, None when the cluster has none."""

    def load_all(self) -> Sequence[StoredRecord]:
        """All readable records of the cluster, in one listing."""

    def holders(self) -> frozenset[AppId]:
        """The applications that have a record, readable or not, in one listing without the content of the records."""

    def store(self, record: Record, expected: str | None) -> str:
        """Compare-and-swap: `expected` is the resourceVersion read, None to create. Returns the new one.

        Raises Superseded when somebody else wrote in between.
        """

    def delete(self, app: AppId, expected: str) -> None:
        """Remove the record of an application that is gone with all its objects; nothing happens when there is none.

        `expected` is the resourceVersion read. Raises Superseded when somebody else wrote in between.
        """


class Clusters(Protocol):
    """The destination clusters of the configuration, by name."""

    def names(self) -> Sequence[str]:
        """All configured clusters."""

    def resolve(self, name: str, server: str) -> str:
        """The cluster an application names. Raises PolicyRefused that lists what exists."""

    def fleet(self, name: str) -> str:
        """The fleet a cluster belongs to."""

    def server(self, name: str) -> str:
        """The cluster's API server URL, for people."""

    def identity(self, name: str) -> ClusterIdentity:
        """All that the cluster is called, for the rules of projects."""

    def heard(self, name: str) -> float:
        """When this process last got an answer from the cluster other than a failure of its own (5xx): monotonic s.

        Minus infinity when it never did.
        """

    def open(self, name: str) -> Cluster:
        """The cluster, connected lazily; one shared connection pool per process."""

    def records(self, name: str) -> Records:
        """The records of that cluster."""
