"""What a kustomization or a chart refers to: read in the child, joined to paths in `adapters.rendering`."""

from __future__ import annotations

from typing import Any

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.source import repo_paths
from gitops_workers.sandboxed import plugins
from gitops_workers.sandboxed.fields import canonical, mappings, text, texts

FILE, ROOT, EITHER, COMPONENT, PLUGIN = "file", "root", "either", "component", "plugin"
"""What an entry may name: a file; a folder with a kustomization; either of them; a component's folder; a file of
plug-in configuration, or a folder that lists such files."""

_FIELDS = (
    *("apiVersion", "kind", "metadata", "resources", "bases", "components", "crds", "configurations", "patches"),
    *("patchesJson6902", "patchesStrategicMerge", "replacements", "configMapGenerator", "secretGenerator", "openapi"),
    *("generators", "transformers", "validators", "helmCharts", "helmChartInflationGenerator", "helmGlobals"),
    *("namespace", "namePrefix", "nameSuffix", "images", "imageTags", "replicas", "labels", "commonLabels", "vars"),
    *("commonAnnotations", "generatorOptions", "buildMetadata", "sortOptions", "inventory"),
)
"""Fields of a kustomization (kustomize 5.8, `types.Kustomization`). It finds them whatever their case is."""

_MARKS = "\n{}[]:&!%?|>\"'"
"""What YAML other than a plain text has."""

_BARE = frozenset(("apiVersion", "kind", "metadata", "resources"))

Reference = tuple[str, str, str]
"""What it may name, the text as written, the field for messages."""


def kustomization(data: bytes, place: str) -> dict[str, Any]:
    """Return `{"references": [...], "bare": bool}` of a kustomization file.

    `bare`: it only lists resources, so that what comes out of it stands in the files that it names.
    """
    content = load_kustomization(data, place)
    references: list[Reference] = []
    for field in ("helmCharts", "helmChartInflationGenerator", "helmGlobals"):
        if content.get(field):
            raise UnsafeContent(
                f"{place}: {field} would download a chart while rendering; vendor the chart and make it an application "
                "of its own, or commit what `kustomize build --enable-helm` prints"
            )
    for field, kind in (
        ("resources", EITHER),
        ("bases", ROOT),
        ("components", COMPONENT),
        ("crds", FILE),
        ("configurations", FILE),
    ):
        references += [(kind, entry, field) for entry in texts(content, field, place)]
    for field in ("patches", "patchesJson6902", "replacements"):
        references += [(FILE, text(entry, "path", place), field) for entry in mappings(content, field, place)]
    for entry in texts(content, "patchesStrategicMerge", place):
        if not _patch(entry):
            references.append((FILE, entry, "patchesStrategicMerge"))
    for field in ("configMapGenerator", "secretGenerator"):
        for generator in mappings(content, field, place):
            references += [(FILE, name, f"{field}.{part}") for part, name in plugins.sources(generator, place)]
    openapi = content.get("openapi")
    if isinstance(openapi, dict):
        references.append((FILE, text(openapi, "path", place), "openapi.path"))
    for field in ("generators", "transformers", "validators"):
        for entry in texts(content, field, place):
            if _inline(entry):
                references += [(FILE, name, f"{field}: {part}") for part, name in plugins.inputs(entry.encode(), place)]
            else:
                references.append((PLUGIN, entry, field))
    return {"references": [one for one in references if one[1]], "bare": content.keys() <= _BARE}


def plugin(data: bytes, place: str) -> dict[str, Any]:
    """Return `{"references": [...]}` of a file of plug-in configuration: what kustomize reads for it."""
    return {"references": [(FILE, name, field) for field, name in plugins.inputs(data, place)]}


def chart(data: bytes, place: str) -> dict[str, Any]:
    """Return `{"local": [[name, path], ...], "declares": bool}` of a Chart.yaml or requirements.yaml.

    `local`: dependencies that are folders of the repository. `declares`: it has a list of dependencies at all.
    """
    documents = yaml_events.load_documents(data, repeats=[])  # as helm reads it
    content = documents[0] if documents and isinstance(documents[0], dict) else {}
    local = []
    for entry in mappings(content, "dependencies", place):
        repository, name = entry.get("repository"), entry.get("name")
        if isinstance(repository, str) and isinstance(name, str) and repository.startswith("file://"):
            local.append([name, repository.removeprefix("file://")])
    return {"local": local, "declares": content.get("dependencies") is not None}


def load_kustomization(data: bytes, place: str) -> dict[str, Any]:
    """Return the one document of a kustomization file, {} for an empty one."""
    try:
        documents = yaml_events.load_documents(data, repeats=[])  # of a key that stands twice, kustomize takes the last
    except RenderFailed as error:
        raise type(error)(f"{place}: {error}") from None
    if not documents:
        return {}
    if len(documents) > 1 or not isinstance(documents[0], dict):
        raise RenderFailed(f"{place}: a kustomization file holds exactly one YAML mapping; found something else")
    return canonical(documents[0], _FIELDS, place)


def _inline(entry: str) -> bool:
    """Whether kustomize could take an entry for plug-in configuration: a path has none of these characters.

    A URL has, and is no configuration.
    """
    return not repo_paths.is_remote(entry) and any(mark in entry for mark in _MARKS)


def _patch(entry: str) -> bool:
    """Whether an entry is a patch itself: kustomize opens everything as a file that does not read as objects."""
    try:
        documents = yaml_events.load_documents(entry.encode())
    except RenderFailed:
        return False
    return bool(documents) and all(isinstance(one, dict) and one.get("kind") for one in documents)
