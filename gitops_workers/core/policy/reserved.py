"""What is the engine's own in every cluster: no application may declare, adopt, prune or delete it.

The records of all applications live in namespace `gitops-workers`. An application that could own that namespace, the
records in it or the rights that the engine works by could take the inventories of everybody away with one commit.
Workloads in that namespace are not meant: the engine itself may well be deployed by an application.
"""

from __future__ import annotations

from typing import Final

from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import NAMESPACE

API_GROUP: Final = "gitops-workers.dev"
"""The group of the engine's own kinds; labels and annotations use it as their prefix."""

_RBAC: Final = "rbac.authorization.k8s.io"
_INSIDE: Final = {
    ("", "ConfigMap"): "the records of all applications are ConfigMaps there",
    ("", "Secret"): "the engine's credentials are Secrets there",
    ("", "ServiceAccount"): "the engine works by the accounts there",
    ("", "ResourceQuota"): "a quota there could keep records from being written",
    (_RBAC, "Role"): "the engine works by the rights there",
    (_RBAC, "RoleBinding"): "the engine works by the rights there",
}
_CLUSTER_RIGHTS: Final = frozenset({(_RBAC, "ClusterRole"), (_RBAC, "ClusterRoleBinding")})


def reserved(key: ObjectKey) -> str:
    """Why an object is the engine's own, in one sentence that says what to do; "" for everything else.

    >>> reserved(ObjectKey("", "Namespace", "", "shop"))
    ''
    """
    kind = (key.group, key.kind)
    if kind == ("", "Namespace") and key.name == NAMESPACE:
        return f"namespace {NAMESPACE} holds the records of all applications. Take it out of Git: the engine makes it."
    if key.namespace == NAMESPACE and kind in _INSIDE:
        return f"in namespace {NAMESPACE} this kind is the engine's own ({_INSIDE[kind]}). Use another namespace."
    if kind in _CLUSTER_RIGHTS and (key.name == NAMESPACE or key.name.startswith((f"{NAMESPACE}-", f"{NAMESPACE}:"))):
        return f"names that begin with {NAMESPACE} are the engine's own rights. Use another name."
    definition = kind == ("apiextensions.k8s.io", "CustomResourceDefinition") and key.name.endswith(f".{API_GROUP}")
    if definition or key.group == API_GROUP:
        return f"API group {API_GROUP} is the engine's own. Use another group."
    return ""


def refuse_reserved(keys: tuple[ObjectKey, ...]) -> None:
    """Raise PolicyRefused for the first of the keys that is the engine's own."""
    for key in keys:
        if reason := reserved(key):
            raise PolicyRefused(f"{key}: {reason}")
