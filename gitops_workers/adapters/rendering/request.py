"""What a sandbox child is told about a render: exactly what it reads, so that it makes the cache key too. Pure."""

from __future__ import annotations

from typing import Any

from gitops_workers.adapters.rendering.renderers import BY_TOOL
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.render.build_environment import build_environment
from gitops_workers.core.render.render_spec import KustomizeMerge, RenderSpec
from gitops_workers.ports import Closure, RenderContext


def build(
    source: SourceSpec, render: RenderSpec, closure: Closure, context: RenderContext, *, strict: bool = False
) -> dict[str, Any]:
    """Return the request without files, and without variables (those are secret and keyed apart)."""
    environment = build_environment(
        app_name=context.app_name,
        namespace=context.namespace,
        project=context.project,
        commit=context.resolved.commit,
        path=source.path,
        url=source.url,
        target_revision=source.revision.value,
        kube_version=context.kube_version,
        api_versions=context.api_versions,
    )
    request = {
        "tool": closure.tool,
        "path": closure.path,
        # Flux' kustomize refuses a key that stands twice; helm, kubectl and Argo CD take the last.
        "repeated_keys": not strict and render.kustomize.merge is KustomizeMerge.ARGOCD,
        "last_object": render.last_object,
        "common_labels": dict(render.common_labels),
        "common_annotations": dict(render.common_annotations),
    }
    return {**request, **BY_TOOL[closure.tool].request(render, closure, context, environment)}


def variables(render: RenderSpec, context: RenderContext) -> dict[str, str] | None:
    """Flux' post-build variables, inline ones winning; None where there is nothing to substitute."""
    if render.substitution is None:
        return None
    values = {**dict(context.variables), **dict(render.substitution.variables)}
    return values if values or render.substitution.always else None
