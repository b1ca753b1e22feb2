"""Helm charts: the chart's folder, the charts that it names by `file://`, and the value files of the application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_workers.adapters.rendering.closure.files import Files
from gitops_workers.adapters.rendering.renderers.port import Inputs, Place
from gitops_workers.core.errors import InvalidManifest, RenderFailed, UnsafeContent
from gitops_workers.core.render import helm_files
from gitops_workers.core.render.build_environment import build_environment, expand
from gitops_workers.core.render.render_spec import HelmOptions, RenderSpec, Tool
from gitops_workers.core.source import repo_paths
from gitops_workers.ports import Closure, RenderContext, TreeEntry

_CHART, _OLD_DEPENDENCIES = "Chart.yaml", "requirements.yaml"
_CHARTS = 100
"""Charts that one chart may pull in from the same repository."""


class HelmRenderer:
    """A `Renderer` by `helm template`."""

    tool = Tool.HELM.value
    markers = (_CHART,)
    program = "helm"
    child = "helm"

    def inputs(self, place: Place) -> Inputs:
        """The charts, and the value files; everything where the name of one is known at the render only."""
        charts = _charts(place)
        if helm_files.known_late(place.render.helm):
            return Inputs(charts.values(), whole=True)
        return Inputs((charts | _value_files(place)).values())

    def request(
        self, render: RenderSpec, closure: Closure, context: RenderContext, environment: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """The arguments of `helm template`."""
        return {"helm": _arguments(render.helm, closure, context, environment)}


def _charts(place: Place) -> dict[str, TreeEntry]:
    """The chart and those that it depends on by `file://`."""
    files, path = place.files, place.path
    found: dict[str, TreeEntry] = {}
    waiting = [path]
    seen = {path}
    while waiting:
        chart = waiting.pop()
        found.update({node.place: files.resolve(node) for node in files.walk(chart)})
        named = [f"{chart}/{name}".lstrip("/") for name in (_CHART, _OLD_DEPENDENCIES)]
        if named[0] not in found:
            if chart != path:
                continue  # a copy in charts/ may stand in for it; else the render says that it is missing
            raise RenderFailed(f"{chart or '.'} holds no Chart.yaml; choose another path or tool")
        described = [found[name] for name in named if name in found]
        answers = place.references.of(place.source, "chart", described)
        declared = next((item for item in reversed(answers) if item["declares"]), answers[0])
        for _, reference in declared["local"]:
            below = repo_paths.join(chart, reference, what=f"{chart or '.'}: dependencies of the chart")
            if below not in seen:
                seen.add(below)
                waiting.append(below)
        if len(seen) > _CHARTS:
            raise UnsafeContent(f"{path or '.'} pulls in more than {_CHARTS} charts")
    return found


def _value_files(place: Place) -> dict[str, TreeEntry]:
    """The value files and file parameters that the application names."""
    environment = build_environment(
        app_name=place.app_name,
        commit=place.resolved.commit,
        path=place.source.path,
        url=place.source.url,
        target_revision=place.source.revision.value,
    )
    options, paths = place.render.helm, _Places(place.files)
    wanted = [*helm_files.value_files(place.path, options, paths, environment)]
    wanted += [file for _, file in helm_files.parameter_files(place.path, options, paths, environment)]
    found = {}
    for file in wanted:
        if (entry := place.files.find(file)) is None:
            raise UnsafeContent(f"{file} is a link to nothing in this repository; correct the link or remove it")
        found[file] = entry
    return found


class _Places:
    """The files that value files may name (`helm_files.Places`)."""

    def __init__(self, files: Files) -> None:
        """`files` of the commit."""
        self._files = files

    def __contains__(self, path: object) -> bool:
        """Whether there is such a file."""
        return isinstance(path, str) and self._files.find(path) is not None

    def below(self, folder: str) -> Iterable[str]:
        """All files below a folder, also those that cannot be read: whoever wants one is told."""
        return (node.place for node in self._files.walk(folder))


def _arguments(
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
