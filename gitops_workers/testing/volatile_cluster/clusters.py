"""Records and the set of clusters, in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from gitops_workers.core.cluster.access import ClusterAccess, ClusterIdentity
from gitops_workers.core.cluster.destinations import Destinations
from gitops_workers.core.errors import Superseded
from gitops_workers.core.model import AppId
from gitops_workers.core.record.record import NAMESPACE, Record, StoredRecord
from gitops_workers.testing.volatile_cluster.cluster import VolatileCluster
from gitops_workers.testing.volatile_cluster.life import Life


class VolatileRecords:
    """The records of one cluster in memory."""

    def __init__(self, life: Life | None = None, cluster: VolatileCluster | None = None) -> None:
        """`cluster` gets the namespace of the records with the first one."""
        self._life = life or Life()
        self._cluster = cluster
        self._records: dict[AppId, StoredRecord] = {}

    def load(self, app: AppId) -> StoredRecord | None:
        """See the port."""
        with self._life.lock:
            self._life.enter("record-load")
            return self._records.get(app)

    def load_all(self) -> Sequence[StoredRecord]:
        """See the port."""
        with self._life.lock:
            self._life.enter("record-list")
            return list(self._records.values())

    def holders(self) -> frozenset[AppId]:
        """See the port."""
        with self._life.lock:
            self._life.enter("record-names")
            return frozenset(self._records)

    def store(self, record: Record, expected: str | None) -> str:
        """See the port."""
        with self._life.lock:
            self._life.enter("record-store")
            held = self._records.get(record.app)
            if (held.resource_version if held else None) != expected:
                raise Superseded(f"the record of {record.app} was written by somebody else")
            version = self._life.tick()
            self._records[record.app] = StoredRecord(record, version)
            if self._cluster:
                self._cluster.edit({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
            return version

    def delete(self, app: AppId, expected: str) -> None:
        """See the port."""
        with self._life.lock:
            self._life.enter("record-delete")
            held = self._records.get(app)
            if held is not None and held.resource_version != expected:
                raise Superseded(f"the record of {app} was written by somebody else")
            self._records.pop(app, None)


class VolatileClusters:
    """Clusters in memory by name; the first is the one that `in-cluster` means."""

    def __init__(self, *names: str, fleets: Mapping[str, str] | None = None) -> None:
        """`fleets` names the fleet of a cluster where it is not `default`."""
        fleets = fleets or {}
        self._destinations = Destinations(
            tuple(
                ClusterAccess(name, f"https://{name}.volatile:6443", fleet=fleets.get(name, "default"))
                for name in names
            ),
            names[0],
        )
        self._clusters: dict[str, tuple[VolatileCluster, VolatileRecords]] = {}
        for name in names:
            life = Life()
            cluster = VolatileCluster(name, life)
            self._clusters[name] = (cluster, VolatileRecords(life, cluster))

    def names(self) -> Sequence[str]:
        """See the port."""
        return self._destinations.names()

    def resolve(self, name: str, server: str) -> str:
        """See the port."""
        return self._destinations.resolve(name, server)

    def fleet(self, name: str) -> str:
        """See the port."""
        return self._destinations.access(name).fleet

    def server(self, name: str) -> str:
        """See the port."""
        return self._destinations.access(name).server

    def identity(self, name: str) -> ClusterIdentity:
        """See the port."""
        return self._destinations.identity(name)

    def heard(self, name: str) -> float:  # noqa: ARG002 - the port's
        """Just now: nothing is asked in vain here but by tests that raise the error themselves."""
        return math.inf

    def open(self, name: str) -> VolatileCluster:
        """See the port."""
        return self._clusters[self._destinations.access(name).name][0]

    def records(self, name: str) -> VolatileRecords:
        """See the port."""
        return self._clusters[self._destinations.access(name).name][1]
