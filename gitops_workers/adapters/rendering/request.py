"""What a sandbox child is told about a render: exactly what it reads, so that it makes the cache key too. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from gitops_workers.core.errors import InvalidManifest, RenderFailed
from gitops_workers.core.model import GitSource
from gitops_workers.core.render import helm_files
from gitops_workers.core.render.build_environment import build_environment, expand
from gitops_workers.core.render.render_spec import HelmOptions, KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from gitops_workers.core.source import repo_paths
from gitops_workers.ports import Closure, RenderContext


def build(
    source: GitSource, render: RenderSpec, closure: Closure, context: RenderContext, *, strict: bool = False
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
    request: dict[str, Any] = {
        "tool": closure.tool.value,
        "path": closure.path,
        # Flux' kustomize refuses a key that stands twice; helm, kubectl and Argo CD take the last.
        "repeated_keys": not strict and render.kustomize.merge is KustomizeMerge.ARGOCD,
        "last_object": render.last_object,
        "common_labels": dict(render.common_labels),
        "common_annotations": dict(render.common_annotations),
    }
    if closure.tool is Tool.KUSTOMIZE:
        request["kustomize"] = _kustomize(render.kustomize, environment)
    elif closure.tool is Tool.HELM:
        request["helm"] = _helm(render.helm, closure, context, environment)
    return request


def variables(render: RenderSpec, context: RenderContext) -> dict[str, str] | None:
    """Flux' post-build variables, inline ones winning; None where there is nothing to substitute."""
    if render.substitution is None:
        return None
    values = {**dict(context.variables), **dict(render.substitution.variables)}
    return values if values or render.substitution.always else None


def _kustomize(options: KustomizeOptions, environment: Mapping[str, str]) -> dict[str, Any]:
    if options.merge is KustomizeMerge.ARGOCD:
        images = tuple(
            replace(
                image,
                **{
                    name: expand(getattr(image, name), environment)
                    for name in ("name", "new_name", "new_tag", "digest")
                },
            )
            for image in options.images
        )
        labels = tuple((name, expand(value, environment)) for name, value in options.labels)
        annotations = options.annotations
        if options.annotations_envsubst:
            annotations = tuple((name, expand(value, environment)) for name, value in annotations)
        options = replace(options, images=images, labels=labels, annotations=annotations)
    result = asdict(options)
    for unread in ("kube_version", "api_versions", "annotations_envsubst"):  # only a helm inside kustomize reads these
        del result[unread]
    return result


def _helm(
    options: HelmOptions, closure: Closure, context: RenderContext, environment: Mapping[str, str]
) -> dict[str, Any]:
    unreadable = dict(closure.unreadable)
    paths = _Paths({entry.path for entry in (*closure.entries, *closure.others)} | unreadable.keys())
    parameters = [
        ("--set-string" if item.force_string else "--set", item.name, expand(item.value, environment))
        for item in options.parameters
    ]
    for _, name, value in parameters:
        if "\0" in name + value:
            raise InvalidManifest(f"helm.parameters: {name[:80]!r} holds a NUL character")
    value_files = helm_files.value_files(closure.path, options, paths, environment)
    file_parameters = helm_files.parameter_files(closure.path, options, paths, environment)
    for place in (*value_files, *(place for _, place in file_parameters)):
        if place in unreadable:
            raise RenderFailed(unreadable[place])
    return {
        "release_name": options.release_name or context.app_name,
        "namespace": options.namespace or context.namespace,
        "value_files": value_files,
        "values": [text for text in (options.values_object or options.values,) if text],
        "parameters": parameters,
        "file_parameters": file_parameters,
        "kube_version": options.kube_version or context.kube_version,
        "api_versions": options.api_versions or context.api_versions,
        "--include-crds": not options.skip_crds,
        "--skip-tests": options.skip_tests,
        "--skip-schema-validation": options.skip_schema_validation,
    }


class _Paths(frozenset[str]):
    """The paths of a closure as `helm_files.Places`."""

    def below(self, folder: str) -> Iterable[str]:
        """The paths below a folder."""
        return (path for path in self if repo_paths.inside(path, folder))
