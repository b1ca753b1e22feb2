"""The ports: what the pipeline needs of the world, as Protocols.

Each has an adapter on real servers and a volatile twin in memory; one contract suite runs over both. A port speaks in
core values and raises only `core.errors`. Every call that can hang takes or has a deadline.
"""

from __future__ import annotations

from gitops_workers.ports.catalogue import Catalogue
from gitops_workers.ports.clusters import (
    Applied,
    Cluster,
    Clusters,
    Discovery,
    MetadataList,
    ObjectMeta,
    Records,
    Resource,
)
from gitops_workers.ports.events import EventSink
from gitops_workers.ports.queue import Attempt, ClusterLoad, Queue, QueueState, TaskMessage, Urgency
from gitops_workers.ports.rendering import Closure, Closures, RenderContext, Rendered, Renderer, Secrets
from gitops_workers.ports.rules import Calendar, Rules
from gitops_workers.ports.sources import Listing, Sources, TreeEntry
from gitops_workers.ports.state import RenderCache, Sealer, State, StatusPage, StatusQuery
from gitops_workers.ports.telemetry import Meter, Telemetry

__all__ = [
    "Applied",
    "Attempt",
    "Calendar",
    "Catalogue",
    "Closure",
    "Closures",
    "Cluster",
    "ClusterLoad",
    "Clusters",
    "Discovery",
    "EventSink",
    "Listing",
    "MetadataList",
    "Meter",
    "ObjectMeta",
    "Queue",
    "QueueState",
    "Records",
    "RenderCache",
    "RenderContext",
    "Rendered",
    "Renderer",
    "Resource",
    "Rules",
    "Sealer",
    "Secrets",
    "Sources",
    "State",
    "StatusPage",
    "StatusQuery",
    "TaskMessage",
    "Telemetry",
    "TreeEntry",
    "Urgency",
]
