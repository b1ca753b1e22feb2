"""The destination's namespace: created where the application asks for it, with the metadata that it is to have.

It is never the application's own: no mark, no place in the inventory, no prune. So no poll sees it change, and an
application that manages its metadata is looked at again after its interval (Argo CD 3.5 docs, CreateNamespace).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_workers.core.desired import Desired
from gitops_workers.core.errors import ApplyRefused, PolicyRefused
from gitops_workers.core.model import Application
from gitops_workers.core.objects import ObjectKey, digest_of
from gitops_workers.core.policy import barred
from gitops_workers.pipeline.looks import Look, Observer
from gitops_workers.pipeline.writes import Writer
from gitops_workers.ports import Cluster


def managed(app: Application) -> bool:
    """Whether the application says what stands on its namespace."""
    policy = app.sync
    return bool(policy.create_namespace and (policy.namespace_labels or policy.namespace_annotations))


def due_in(app: Application) -> float | None:
    """Seconds until the namespace is looked at again; None where nobody has to."""
    return app.schedule.interval if managed(app) else None


def look(observer: Observer, desired: Iterable[Desired]) -> Look | None:
    """The namespace compared; None where its metadata is not managed, or the namespace itself stands in Git.

    Raises ApplyRefused.
    """
    app = observer.app
    if not managed(app) or not app.destination.namespace:
        return None
    item = _namespace(app)
    if any(other.key == item.key for other in desired):
        return None
    found = observer.look(item, None)
    if isinstance(found, ApplyRefused):
        raise found
    return found


def prepare(
    writer: Writer, cluster: Cluster, namespace: Look | None, looks: Mapping[ObjectKey, Look], *, seen: bool
) -> None:
    """Bring the namespace in order before anything goes into it. `seen`: the application's objects have been there."""
    if namespace is not None:
        if not namespace.compared.in_sync:
            _apply(writer, namespace.compared.desired)
        return
    app = writer.app
    if not app.sync.create_namespace or not app.destination.namespace or seen:
        return
    item = _namespace(app)
    new = any(key.namespace == item.key.name and not look.compared.exists for key, look in looks.items())
    if new and item.key not in looks and cluster.get(item.key, "v1") is None:
        _apply(writer, item)


def _apply(writer: Writer, item: Desired) -> None:
    """To make it or to change it is the project's to allow, as for any other object (Argo CD 3.5)."""
    server = writer.world.clusters.server(writer.cluster_name)
    if reason := barred(writer.app, [item.key], writer.cluster_name, server).get(item.key):
        raise PolicyRefused(f"{item.key}: {reason} CreateNamespace and managedNamespaceMetadata need it allowed.")
    writer.apply_namespace(item.manifest)


def _namespace(app: Application) -> Desired:
    metadata: dict[str, Any] = {"name": app.destination.namespace}
    if app.sync.namespace_labels:
        metadata["labels"] = dict(app.sync.namespace_labels)
    if app.sync.namespace_annotations:
        metadata["annotations"] = dict(app.sync.namespace_annotations)
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    return Desired(ObjectKey("", "Namespace", "", app.destination.namespace), "v1", digest_of(body), body)
