"""The destination's namespace: created where the application asks for it, with the metadata that it is to have.

It is never the application's own: no mark, no place in the inventory, no prune. So no poll sees it change, and an
application that manages its metadata is looked at again after its interval (Argo CD 3.5 docs, CreateNamespace).

Two applications that want different metadata would overwrite each other forever: all that we write belongs to one
field manager. So the first one leaves its name on the namespace, and keeps it for as long as it is declared to manage
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.ownership import METADATA_OF
from gitops_workers.core.errors import ApplyRefused, GitOpsError, PolicyRefused
from gitops_workers.core.model import AppId, Application, Condition
from gitops_workers.core.objects import ObjectKey, digest_of
from gitops_workers.core.policy.policy import denied_objects
from gitops_workers.core.policy.reserved import refuse_reserved
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.pipeline.reconcile.object_state import Inspector, ObjectState
from gitops_workers.ports import Cluster

SHARED = "SharedResourceWarning"
"""Argo CD's condition of an application one of whose objects belongs to another one."""


def managed(app: Application) -> bool:
    """Whether the application says what stands on its namespace."""
    policy = app.sync
    return bool(policy.create_namespace and (policy.namespace_labels or policy.namespace_annotations))


def due_in(app: Application) -> float | None:
    """Seconds until the namespace is looked at again; None where nobody has to."""
    return app.schedule.interval if managed(app) else None


def inspect_namespace(
    context: Context, observer: Inspector, cluster_name: str, desired: Iterable[Desired]
) -> tuple[ObjectState | None, Application]:
    """The namespace compared, and the application with a condition where another one has it.

    None where its metadata is not ours to manage, or the namespace itself stands in Git. Raises ApplyRefused and
    PolicyRefused.
    """
    app = observer.app
    if not managed(app) or not app.destination.namespace:
        return None, app
    item = _namespace(app)
    if any(other.key == item.key for other in desired):
        return None, app
    refuse_reserved((item.key,))
    found = observer.look(item, None)
    if isinstance(found, ApplyRefused):
        raise found
    live = found.compared.live or {}
    other = _holder(context, app, cluster_name, live)
    if not other:
        return found, app
    if _has(live, item.manifest):
        return None, app
    text = (
        f"{item.key} keeps the metadata of {other}: both have managedNamespaceMetadata for it, and not the same. "
        "Write the same into both, or take it out of one of them."
    )
    if app.sync.fail_on_shared:
        raise ApplyRefused(f"{text} (FailOnSharedResource=true)")
    return None, replace(app, conditions=(*app.conditions, Condition(SHARED, text)))


def _holder(context: Context, app: Application, cluster_name: str, live: Mapping[str, Any]) -> AppId:
    """The other application whose metadata stands on the namespace, while it is declared to manage that; else ""."""
    named = str(((live.get("metadata") or {}).get("annotations") or {}).get(METADATA_OF) or "")
    other = context.state.application(named) if named and named != app.id else None
    if other is None or other.leaving is not None or not managed(other):
        return ""
    try:
        home = context.clusters.resolve(other.destination.name, other.destination.server)
    except GitOpsError:
        return ""
    there = home == cluster_name and other.destination.namespace == app.destination.namespace
    return other.id if there else ""


def _has(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether everything that the application wants on its namespace stands there, the holder's name left aside."""

    def part(manifest: Mapping[str, Any], name: str) -> dict[str, str]:
        found = manifest["metadata"].get(name) or {}
        return {key: value for key, value in found.items() if key != METADATA_OF}

    return all(part(wanted, name).items() <= part(live, name).items() for name in ("labels", "annotations"))


def prepare(
    writer: Writer,
    cluster: Cluster,
    namespace: ObjectState | None,
    states: Mapping[ObjectKey, ObjectState],
    *,
    seen: bool,
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
    new = any(key.namespace == item.key.name and not look.compared.exists for key, look in states.items())
    if new and item.key not in states and cluster.get(item.key, "v1") is None:
        _apply(writer, item)


def _apply(writer: Writer, item: Desired) -> None:
    """To make it or to change it is the project's to allow, as for any other object (Argo CD 3.5)."""
    identity = writer.context.clusters.identity(writer.cluster_name)
    if reason := denied_objects(writer.app, [item.key], identity).get(item.key):
        raise PolicyRefused(f"{item.key}: {reason} CreateNamespace and managedNamespaceMetadata need it allowed.")
    writer.apply_namespace(item.manifest)


def _namespace(app: Application) -> Desired:
    metadata: dict[str, Any] = {"name": app.destination.namespace}
    if app.sync.namespace_labels:
        metadata["labels"] = dict(app.sync.namespace_labels)
    if managed(app):
        metadata["annotations"] = {**dict(app.sync.namespace_annotations), METADATA_OF: app.id}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    return Desired(ObjectKey("", "Namespace", "", app.destination.namespace), "v1", digest_of(body), body)
