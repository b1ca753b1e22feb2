"""From rendered objects to desired ones: namespaces filled in, marks put on, digests taken.

Whether a kind lives in a namespace is the destination cluster's to say; a kind that it does not serve yet (its CRD is
part of the same application) takes its scope from that CRD, and is an error otherwise, unless the object says that its
kind may come later: then it is taken for a namespaced one until the cluster knows better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitops_workers.core.diff.ownership import with_ownership
from gitops_workers.core.diff.stored_form import stored
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.model import Application
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, digest_of, key_of
from gitops_workers.core.sync.options import to_apply

CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")


@dataclass(frozen=True, slots=True)
class Desired:
    """An object as it shall be. `digest` covers everything that is sent to the cluster."""

    key: ObjectKey
    version: str
    digest: str
    manifest: Manifest = field(repr=False, compare=False)


def desired_objects(
    app: Application, objects: Iterable[Manifest], scopes: Mapping[GroupKind, bool]
) -> tuple[Desired, ...]:
    """All desired objects by identity, in render order.

    `scopes` says for each kind that the cluster serves whether it is namespaced. Raises RenderFailed naming a kind
    nobody serves, a namespace that cannot be filled in, or two objects of one identity.
    """
    manifests = list(objects)
    known = {**scopes, **own_scopes(manifests)}
    found: dict[ObjectKey, Desired] = {}
    for manifest in manifests:
        key = _placed(app, manifest, known)
        if key in found:
            raise RenderFailed(f"{key} is rendered twice: remove or rename one of the two.")
        found[key] = _desired(app, key, manifest)
    return tuple(found.values())


def own_scopes(manifests: Iterable[Manifest]) -> dict[GroupKind, bool]:
    """The kinds that CRDs among the manifests define, and whether they are namespaced."""
    scopes = {}
    for manifest in manifests:
        if key_of(manifest).group_kind == CRD:
            spec = manifest.get("spec") or {}
            kind = GroupKind(spec.get("group", ""), (spec.get("names") or {}).get("kind", ""))
            scopes[kind] = spec.get("scope") == "Namespaced"
    return scopes


def _placed(app: Application, manifest: Manifest, scopes: Mapping[GroupKind, bool]) -> ObjectKey:
    key = key_of(manifest)
    namespaced = scopes.get(key.group_kind)
    if namespaced is None and to_apply(app, manifest).skip_missing:
        return key._replace(namespace=key.namespace or app.destination.namespace)
    if namespaced is None:
        raise RenderFailed(
            f"{key}: the cluster does not serve this kind. Apply its CustomResourceDefinition first, "
            "or correct apiVersion and kind."
        )
    if not namespaced:
        return key._replace(namespace="")
    namespace = key.namespace or app.destination.namespace
    if not namespace:
        raise RenderFailed(f"{key} names no namespace, and neither does the application's destination: set one.")
    return key._replace(namespace=namespace)


def _desired(app: Application, key: ObjectKey, manifest: Manifest) -> Desired:
    metadata = {name: value for name, value in (manifest.get("metadata") or {}).items() if name not in _SERVER_OWNED}
    metadata.pop("namespace", None)
    if key.namespace:
        metadata["namespace"] = key.namespace
    foreign = ("status", "rules") if _aggregated(key, manifest) else ("status",)
    body = stored(key.group_kind, {name: value for name, value in manifest.items() if name not in foreign})
    body = with_ownership(app, key, {**body, "metadata": metadata})
    version = body["apiVersion"].rpartition("/")[2]
    return Desired(key, version, digest_of(body), body)


def _aggregated(key: ObjectKey, manifest: Manifest) -> bool:
    """Whether a controller fills in the rules. The usual `rules: []` beside that would take them away forever."""
    return key.group_kind == _CLUSTER_ROLE and bool(manifest.get("aggregationRule"))


_CLUSTER_ROLE = GroupKind("rbac.authorization.k8s.io", "ClusterRole")
_SERVER_OWNED = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"})
"""What only the server writes: exported manifests often hold them, and applying them fails or fights."""
