"""Which configured cluster a destination means (T32).

A name or URL that fits two clusters is refused: which credential is meant is no guess. Nothing falls back to the
cluster we run in, except what Argo CD and Flux say means it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.cluster.access import (
    IN_CLUSTER,
    IN_CLUSTER_SERVER,
    ClusterAccess,
    ClusterIdentity,
    same_server,
)
from gitops_workers.core.errors import PolicyRefused


@dataclass(frozen=True, slots=True)
class Destinations:
    """The clusters of a configuration. `in_cluster` is the name of what `in-cluster` and its URL mean, or empty."""

    accesses: tuple[ClusterAccess, ...] = ()
    in_cluster: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    """Names with the reason why they cannot be used."""

    def names(self) -> Sequence[str]:
        """All names, sorted."""
        return sorted({access.name for access in self.accesses})

    def resolve(self, name: str, server: str) -> str:
        """The cluster of a destination. Raises PolicyRefused that lists what exists."""
        if not name and not server:
            return self._own("an application without a destination cluster")
        by_name = self._by_name(name) if name else ""
        by_server = self._by_server(server) if server else ""
        if by_name and by_server and by_name != by_server:
            raise PolicyRefused(
                f"the destination names cluster {by_name}, but server {server} is cluster {by_server}; give one of them"
            )
        return by_name or by_server

    def access(self, name: str) -> ClusterAccess:
        """How the cluster of this exact name is reached. Raises PolicyRefused."""
        found = [access for access in self.accesses if access.name == name]
        if len(found) > 1:
            places = ", ".join(sorted(access.origin or access.server for access in found))
            raise PolicyRefused(f"cluster {name} is declared more than once, in {places}; give each another name")
        if found:
            return found[0]
        reason = dict(self.refused).get(name)
        if reason is not None:
            raise PolicyRefused(f"cluster {name} cannot be used: {reason}")
        raise PolicyRefused(f"cluster {name!r} is not configured; {self._known()}")

    def identity(self, name: str) -> ClusterIdentity:
        """All that the cluster of this exact name is called. Raises PolicyRefused."""
        access = self.access(name)
        server = same_server(access.server)
        twins = {other.name for other in self.accesses if same_server(other.server) == server}
        aliases = {IN_CLUSTER} if self._is(name, IN_CLUSTER, "") else set()
        servers = {IN_CLUSTER_SERVER} if self._is(name, "", IN_CLUSTER_SERVER) else set()
        return ClusterIdentity(
            name=name,
            names=frozenset({name, *aliases}),
            servers=frozenset({server, *servers}),
            others=frozenset(twins - {name, *aliases}),
            namespaces=access.namespaces,
            cluster_resources=access.cluster_resources,
        )

    def _is(self, cluster: str, name: str, server: str) -> bool:
        try:
            return self.resolve(name, server) == cluster
        except PolicyRefused:
            return False

    def _by_name(self, name: str) -> str:
        declared = {access.name for access in self.accesses} | dict(self.refused).keys()
        if name == IN_CLUSTER and name not in declared:
            return self._own(f"cluster {IN_CLUSTER}")
        return self.access(name).name

    def _by_server(self, server: str) -> str:
        wanted = same_server(server)
        found = sorted({access.name for access in self.accesses if same_server(access.server) == wanted})
        if len(found) == 1:
            return self.access(found[0]).name
        if wanted == IN_CLUSTER_SERVER:
            return self._own(f"server {server}")
        if found:
            raise PolicyRefused(
                f"server {server} is configured more than once, as {', '.join(found)}; give the destination's name"
            )
        raise PolicyRefused(f"server {server!r} is not configured; {self._known()}")

    def _own(self, what: str) -> str:
        if not self.in_cluster:
            raise PolicyRefused(
                f"{what} means the cluster of GITOPS_IN_CLUSTER or the kubeconfig's current context, but neither is "
                f"set; set one, or name a cluster: {self._known()}"
            )
        return self.access(self.in_cluster).name

    def _known(self) -> str:
        return f"configured are {', '.join(self.names())}" if self.accesses else "no cluster is configured at all"
