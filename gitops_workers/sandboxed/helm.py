"""One helm render: `helm template` on an exported copy of the chart, without network, cluster or plug-ins."""

# Paths stay texts: pathlib would cost the child a megabyte, and each path an object.
# ruff: noqa: PTH103, PTH113

from __future__ import annotations

import os
import re
from typing import Any

import orjson

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render import sops
from gitops_workers.core.source import repo_paths
from gitops_workers.core.text.redact import scrub
from gitops_workers.sandboxed import chart_tree, dependencies, helm_secrets, objects
from gitops_workers.sandboxed.export import Export, read, write
from gitops_workers.sandboxed.render_job import RenderJob

_WORDS = 2000
_NESTED_CHARTS = 8
_INDEX = re.compile(r"\[(\d+)\]")
LARGEST_INDEX = 1024
"""List index in a parameter name: `--set a[1000000000]=1` would fill memory (CVE-2022-36055)."""


def render(job: RenderJob) -> list[objects.Found]:
    """Return the objects of the chart, helm hooks among them."""
    with job.exported() as export:
        return _template(job, export)


def _template(job: RenderJob, export: Export) -> list[objects.Found]:
    path, options = job.request["path"], job.request["helm"]
    chart = export.folder(path)
    _provide_dependencies(export, path, 0)
    chart_tree.check(chart, path, schemas=not options["--skip-schema-validation"])
    secrets: set[str] = set()
    arguments = ["template", "--namespace", options["namespace"] or "default"]
    if options["kube_version"]:
        arguments += ["--kube-version", options["kube_version"]]
    for version in options["api_versions"]:
        arguments += ["--api-versions", version]
    for file in options["value_files"]:
        place = export.place(repo_paths.check(file))
        _clear(read(place) if os.path.isfile(place) else b"", f"helm.valueFiles: {file}")
        arguments += ["--values", place]
    for number, text in enumerate(options["values"]):
        place = f"{export.home}/values-{number}.yaml"
        # Read by our rules and written as JSON, so that a bomb in it ends here.
        _clear(text.encode(), "helm.values")
        values = _values(text, job.remarks)
        secrets.update(helm_secrets.of_values(values))
        write(place, orjson.dumps(values))
        arguments += ["--values", place]
    for flag, name, value in options["parameters"]:
        secrets.update(helm_secrets.of_parameter(name, value))
        arguments += [flag, f"{_name(name)}={_escaped(value)}"]
    for name, file in options["file_parameters"]:
        place = export.place(repo_paths.check(file))
        _clear(read(place) if os.path.isfile(place) else b"", f"helm.fileParameters: {file}")
        arguments += ["--set-file", f"{_name(name)}={place}"]
    for flag in ("--include-crds", "--skip-tests", "--skip-schema-validation"):
        if options[flag]:
            arguments.append(flag)
    arguments += ["--", options["release_name"], chart]
    outcome = job.programs.run("helm", arguments, folder=chart, home=export.home, deadline=job.deadline)
    if outcome.status != 0:
        raise RenderFailed(_reason(scrub(export.shorten(outcome.errors), secrets), path))
    return objects.read(outcome.output, f"helm template {path or '.'}", job.remarks)


def _provide_dependencies(export: Export, path: str, depth: int) -> None:
    """Put dependencies from `file://` where helm looks for them: what `helm dependency build` does, without helm."""
    if depth > _NESTED_CHARTS:
        raise UnsafeContent(f"{path}: charts depend on each other more than {_NESTED_CHARTS} deep")
    chart = export.place(path)
    if not os.path.isfile(f"{chart}/Chart.yaml"):
        raise RenderFailed(f"{path or '.'} holds no Chart.yaml; choose another path or tool")
    vendored = dependencies.vendored(chart)
    provided = set()
    for name, reference in dependencies.local(chart, path):
        source = repo_paths.join(path, reference, what="chart dependency")
        target = repo_paths.join(path, f"charts/{name}", what="chart dependency")
        if repo_paths.folder(target) != repo_paths.join(path, "charts", what="chart"):
            raise UnsafeContent(f"{path}/Chart.yaml: dependency name {repo_paths.shown(name)} is no folder name")
        if name in vendored or source in provided:
            continue
        provided.add(source)
        while os.path.lexists(export.place(target)):  # another chart of this name, or a folder that is called so
            target += "-"
        if repo_paths.inside(target, source):
            raise UnsafeContent(f"{path}/Chart.yaml: dependency {repo_paths.shown(name)} contains the chart itself")
        _provide_dependencies(export, source, depth + 1)
        _copy(export, export.place(source), export.folder(target))


def _copy(export: Export, source: str, target: str) -> None:
    listed = list(os.walk(source))
    export.reserve(sum(1 + len(files) for _, _, files in listed), 0)
    for folder, _, files in listed:
        place = target + folder[len(source) :]
        os.makedirs(place, 0o700, exist_ok=True)
        for name in files:
            os.link(f"{folder}/{name}", f"{place}/{name}")


def _values(text: str, remarks: list[str] | None) -> Any:
    try:
        documents = objects.load(text.encode(), "helm.values", remarks)
    except RenderFailed as error:
        raise type(error)(f"helm.values: {error}") from None
    values = documents[0] if documents else {}
    if len(documents) > 1 or not isinstance(values, dict):
        raise RenderFailed("helm.values: must be one YAML mapping")
    return values


def _clear(data: bytes, place: str) -> None:
    """Refuse a file that helm would read as if its cipher text were the values."""
    if sops.bears_marks(data):
        raise RenderFailed(f"{place} {sops.ADVICE}")


def _name(name: str) -> str:
    for index in _INDEX.findall(name):
        if len(index) > len(str(LARGEST_INDEX)) or int(index) > LARGEST_INDEX:
            raise UnsafeContent(f"helm.parameters: index {index[:20]} of {name[:80]!r} is over {LARGEST_INDEX}")
    return name


def _escaped(value: str) -> str:
    """Commas are escaped, for helm would split there; `{a,b}` is helm's own list and stays (Argo CD's rule)."""
    if value.startswith("{") and value.endswith("}"):
        return value
    return re.sub(r"(?<!\\),", r"\\,", value)


def _reason(errors: str, path: str) -> str:
    words = " ".join(line for line in errors.splitlines() if line and not line.startswith("Use --debug"))
    words = words.strip().removeprefix("Error: ")[:_WORDS]
    if "missing in charts/ directory" in words:
        return (
            f"helm template {path or '.'}: {words}; nothing is downloaded while rendering: run "
            "`helm dependency update` and commit the charts/ folder"
        )
    return f"helm template {path or '.'}: {words}"
