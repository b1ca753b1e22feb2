"""Clusters in memory: twins of the ports `Cluster`, `Records` and `Clusters` for pipeline and property tests.

Like a real API server where the pipeline can tell the difference: field ownership (what we no longer apply goes away,
what others wrote stays), resourceVersion, uid, generation, dry-run, preconditions, missing namespaces, kinds that
appear with their CRD. Unlike one: no defaults, no admission, no controllers, lists are one value. Tests are the other
hands: they edit, remove, set status and inject faults.
"""

from gitops_workers.testing.volatile_cluster.cluster import VolatileCluster
from gitops_workers.testing.volatile_cluster.clusters import VolatileClusters, VolatileRecords

__all__ = ["VolatileCluster", "VolatileClusters", "VolatileRecords"]
