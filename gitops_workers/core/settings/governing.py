"""Applications under their installation's settings: what these refuse, and which objects they take out of sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gitops_workers.core.cluster.access import IN_CLUSTER_SERVER, ClusterIdentity
from gitops_workers.core.model import Application, Condition
from gitops_workers.core.objects import Manifest, group_of
from gitops_workers.core.render.render_spec import Tool
from gitops_workers.core.settings.installation import Installation, Scope

EXCLUDED = "ExcludedResourceWarning"
"""Argo CD's condition about objects in Git whose kind is excluded."""
SHOWN = 10
"""Objects named in it."""
TOOLS: Mapping[str, Scope] = {Tool.KUSTOMIZE: Scope.KUSTOMIZE, Tool.HELM: Scope.HELM}


def with_settings(app: Application, installation: Installation) -> Application:
    """An Argo CD application under its installation's settings. Raises InvalidManifest for those that are not done."""
    installation.refuse(Scope.EVERY)
    kustomize = replace(app.render.kustomize, load_anywhere=installation.load_anywhere)
    return replace(app, installation=installation, render=replace(app.render, kustomize=kustomize))


def may_use(app: Application, tool: str) -> None:
    """Raise InvalidManifest where the installation has a setting about this tool that is not done."""
    if app.installation is not None and tool in TOOLS:
        app.installation.refuse(TOOLS[tool])


def without_excluded(
    app: Application, manifests: Sequence[Manifest], cluster: ClusterIdentity
) -> tuple[Application, tuple[Manifest, ...]]:
    """The manifests without those of excluded kinds, and the application with a condition about these."""
    if app.installation is None:
        return app, tuple(manifests)
    if any(item.get("kind") == "ClusterRole" and item.get("aggregationRule") for item in manifests):
        app.installation.refuse(Scope.AGGREGATED_ROLES)
    answers: dict[tuple[str, str], str] = {}
    kept, left = [], []
    for item in manifests:
        kind = (group_of(str(item.get("apiVersion") or "")), str(item.get("kind") or ""))
        if kind not in answers:
            answers[kind] = app.installation.excludes(*kind, cluster)
        if answers[kind]:
            left.append(f"Resource {'/'.join(kind)} {_name(item)} is excluded in the settings ({answers[kind]}).")
        else:
            kept.append(item)
    if left:
        more = f" And {len(left) - SHOWN} more." if len(left) > SHOWN else ""
        app = replace(app, conditions=(*app.conditions, Condition(EXCLUDED, " ".join(left[:SHOWN]) + more)))
    return app, tuple(kept)


def in_reach(app: Application, cluster: ClusterIdentity) -> str:
    """Why the installation does not let the application go to a cluster; "" where it does."""
    is_refused = app.installation is not None and not app.installation.in_cluster
    if is_refused and IN_CLUSTER_SERVER in cluster.servers:
        return "argocd-cm: cluster.inClusterEnabled is false, so nothing is deployed to the cluster that we run in."
    return ""


def _name(manifest: Manifest) -> str:
    metadata = manifest.get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "")
