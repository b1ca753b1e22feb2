"""The port `Clusters`: which cluster a destination means, and one connected adapter per cluster and credential."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitops_workers.adapters.cluster.http_cluster import HttpCluster
from gitops_workers.adapters.cluster.records import ConfigMapRecords
from gitops_workers.adapters.cluster.transport import CONNECT_TIMEOUT, READ_TIMEOUT, Transport
from gitops_workers.core.cluster.access import ClusterAccess, ClusterIdentity
from gitops_workers.core.cluster.destinations import Destinations
from gitops_workers.ports import RenderCache

CONNECTED = 64
"""Clusters that a process keeps connected: each holds a TLS context, a few sockets and a discovery, 0.5 to 2 MB."""


@dataclass(frozen=True, slots=True)
class _Connected:
    """One cluster under one credential."""

    transport: Transport
    cluster: HttpCluster
    records: ConfigMapRecords


class ConfiguredClusters:
    """The clusters of a configuration. `configure` replaces them while attempts run; the unchanged stay connected."""

    def __init__(
        self,
        accesses: Iterable[ClusterAccess],
        *,
        in_cluster: str = "",
        refused: Iterable[tuple[str, str]] = (),
        connections: int = 64,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        shared: RenderCache | None = None,
        connected: int = CONNECTED,
    ) -> None:
        """`in_cluster` names the cluster that `https://kubernetes.default.svc` and no destination at all mean.

        `connections` are kept open per cluster: as many as threads of this process talk to it at once.
        """
        self._options = {"connections": connections, "connect_timeout": connect_timeout, "read_timeout": read_timeout}
        self._shared = shared
        self._limit = connected
        self._lock = threading.Lock()
        self._open: OrderedDict[ClusterAccess, _Connected] = OrderedDict()
        self._destinations = Destinations()
        self.configure(accesses, in_cluster=in_cluster, refused=refused)

    def configure(
        self, accesses: Iterable[ClusterAccess], *, in_cluster: str = "", refused: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Take another set of clusters. `refused` are names with the reason why they cannot be used."""
        destinations = Destinations(tuple(dict.fromkeys(accesses)), in_cluster, tuple(refused))
        with self._lock:
            self._destinations = destinations
            for access in self._open.keys() - set(destinations.accesses):
                del self._open[access]  # its sockets close when the last attempt lets go of it

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

    def access(self, name: str) -> ClusterAccess:
        """How a cluster is reached: for the cluster generator's labels and the project it belongs to."""
        return self._destinations.access(name)

    def heard(self, name: str) -> float:
        """See the port."""
        return self._connected(name).transport.heard_at

    def open(self, name: str) -> HttpCluster:
        """See the port."""
        return self._connected(name).cluster

    def records(self, name: str) -> ConfigMapRecords:
        """See the port."""
        return self._connected(name).records

    def _connected(self, name: str) -> _Connected:
        access = self._destinations.access(name)
        with self._lock:
            found = self._open.get(access)
            if found is None:
                transport = Transport(access, **self._options)  # type: ignore[arg-type] # int and floats by name
                cluster = HttpCluster(transport, shared=self._shared)
                found = self._open[access] = _Connected(transport, cluster, ConfigMapRecords(transport))
            self._open.move_to_end(access)
            while len(self._open) > self._limit:
                self._open.popitem(last=False)
            return found
