"""Ownership marks: what tells people, other engines and our own prune whose an object is.

Every object carries the ApplySet part-of label. Beside it stands the mark of its dialect, so that moving to or from
Argo CD or Flux needs no relabelling: Argo CD's tracking-id annotation (3.5 docs, resource tracking; CRDs get none),
or the owner labels of Flux' kustomize-controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Application
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.record.record import PART_OF, applyset_id

TRACKING_ID = "argocd.argoproj.io/tracking-id"
INSTANCE = "app.kubernetes.io/instance"
"""Argo CD's tracking label before 3.0. Helm charts set it as well, to their release's name."""
ARGOCD_HOOK = "argocd.argoproj.io/hook"
HELM_HOOK = "helm.sh/hook"
FLUX_NAME = "kustomize.toolkit.fluxcd.io/name"
FLUX_NAMESPACE = "kustomize.toolkit.fluxcd.io/namespace"
METADATA_OF = "gitops-workers.dev/namespace-metadata-of"
"""Annotation of a namespace: the application that says what else stands on it. It is no part of that application."""
CONTROL_PLANE = "argocd"
"""Argo CD's own namespace: applications in it are tracked by bare name, others as `<namespace>_<name>`."""


def tracking_id(app: Application, key: ObjectKey) -> str:
    """Argo CD's `<app>:<group>/<kind>:<namespace>/<name>`."""
    return f"{tracking_name(app)}:{key.group}/{key.kind}:{key.namespace}/{key.name}"


def tracking_name(app: Application) -> str:
    """An application's name in tracking ids."""
    return app.name if app.namespace == CONTROL_PLANE else f"{app.namespace}_{app.name}"


def tracker(live: Manifest) -> str:
    """The application that a live object's tracking id names, "" when it has none."""
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(TRACKING_ID) or "").partition(":")[0]


def with_ownership(app: Application, key: ObjectKey, manifest: Manifest) -> Manifest:
    """A copy of the manifest that carries our marks; `key` has the namespace filled in."""
    marks = policy_of(app.dialect).ownership
    metadata = dict(manifest.get("metadata") or {})
    metadata["labels"] = {**(metadata.get("labels") or {}), PART_OF: applyset_id(app.id), **marks.labels(app)}
    if annotations := marks.annotations(app, key):
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **annotations}
    return {**manifest, "metadata": metadata}


def owner(manifest: Manifest) -> str:
    """The part-of mark of a live object, "" when it has none."""
    labels = (manifest.get("metadata") or {}).get("labels") or {}
    return str(labels.get(PART_OF) or "")


def hook_owned(app: Application, key: ObjectKey, live: Manifest) -> bool:
    """Whether the object of a hook run is ours to replace: also one that Argo CD ran for the same application."""
    if owner(live):
        return owner(live) == applyset_id(app.id)
    metadata = live.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if TRACKING_ID in annotations:
        return bool(annotations[TRACKING_ID] == tracking_id(app, key))
    # The old label alone is on anything; only what is called a hook was made to be replaced.
    tracked = (metadata.get("labels") or {}).get(INSTANCE) == tracking_name(app)
    return tracked and (ARGOCD_HOOK in annotations or HELM_HOOK in annotations)


def owned(app: Application, key: ObjectKey, live: Manifest) -> bool:
    """Whether a live object is ours to delete: our part-of label and, where the dialect has one, its mark too.

    Both are asked for because a label alone is easily copied together with a manifest (T31).
    """
    if owner(live) != applyset_id(app.id):
        return False
    metadata, marks = live.get("metadata") or {}, policy_of(app.dialect).ownership
    return _has(metadata.get("labels"), marks.labels(app)) and _has(
        metadata.get("annotations"), marks.annotations(app, key)
    )


def _has(found: Mapping[str, Any] | None, marks: Mapping[str, str]) -> bool:
    return all((found or {}).get(name) == value for name, value in marks.items())
