"""Kustomizations: the graph of roots is the closure, options of the application are merged into the top one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gitops_workers.adapters.rendering.renderers.kustomize_graph import Graph
from gitops_workers.adapters.rendering.renderers.port import Inputs, Place
from gitops_workers.core.render.build_environment import expand
from gitops_workers.core.render.render_spec import KustomizeMerge, KustomizeOptions, RenderSpec, Tool
from gitops_workers.ports import Closure, RenderContext
from gitops_workers.sandbox_protocol.kustomizations import NAMES


class KustomizeRenderer:
    """A `Renderer` by `kustomize build`."""

    tool = Tool.KUSTOMIZE.value
    markers = NAMES
    program = "kustomize"
    child = "kustomize"

    def inputs(self, place: Place) -> Inputs:
        """Every file that the graph of kustomizations names."""
        graph = Graph(place.files, place.references, place.source)
        graph.walk(place.path, place.render.kustomize)
        return Inputs(graph.entries.values())

    def request(
        self,
        render: RenderSpec,
        closure: Closure,  # noqa: ARG002 - the port's names
        context: RenderContext,  # noqa: ARG002
        environment: Mapping[str, str],
    ) -> Mapping[str, Any]:
        """The options of the application."""
        return {"kustomize": _options(render.kustomize, environment)}


def _options(options: KustomizeOptions, environment: Mapping[str, str]) -> dict[str, Any]:
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
