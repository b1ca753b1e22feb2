"""What a kustomization or a chart refers to: read in the child, joined to paths by the worker (`adapters.closure`)."""

from __future__ import annotations

from typing import Any

from gitops_workers.adapters import yaml_events
from gitops_workers.core.errors import RenderFailed, UnsafeContent

FILE, ROOT, EITHER, COMPONENT = "file", "root", "either", "component"
"""What an entry may name: a file; a folder with a kustomization; either of them; a component's folder."""

_BUILTIN_WITHOUT_FILES = frozenset(
    "AnnotationsTransformer HashTransformer ImageTagTransformer LabelTransformer LegacyOrderTransformer"
    " NamespaceTransformer PrefixTransformer PrefixSuffixTransformer ReplicaCountTransformer SuffixTransformer"
    " SortOrderTransformer IAMPolicyGenerator ValueAddTransformer".split()
)

Reference = tuple[str, str, str]
"""What it may name, the text as written, the field for messages."""


def kustomization(data: bytes, place: str) -> dict[str, Any]:
    """Return `{"references": [...], "opaque": bool}` of a kustomization file.

    `opaque`: it holds plug-in configuration whose inputs cannot be told, so the whole commit counts as input.
    """
    content = load_kustomization(data, place)
    references: list[Reference] = []
    opaque = False
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
        references += [(kind, text, field) for text in _texts(content, field, place)]
    for field in ("patches", "patchesJson6902", "replacements"):
        for entry in _mappings(content, field, place):
            if isinstance(entry.get("path"), str):
                references.append((FILE, entry["path"], field))
    for text in _texts(content, "patchesStrategicMerge", place):
        if not _inline(text):
            references.append((FILE, text, "patchesStrategicMerge"))
    for field in ("configMapGenerator", "secretGenerator"):
        for entry in _mappings(content, field, place):
            for text in _texts(entry, "files", place):
                references.append((FILE, text.partition("=")[2] or text, f"{field}.files"))
            envs = [*_texts(entry, "envs", place), *([entry["env"]] if isinstance(entry.get("env"), str) else [])]
            references += [(FILE, text, f"{field}.envs") for text in envs]
    openapi = content.get("openapi")
    if isinstance(openapi, dict) and isinstance(openapi.get("path"), str):
        references.append((FILE, openapi["path"], "openapi.path"))
    for field in ("generators", "transformers", "validators"):
        for text in _texts(content, field, place):
            if _inline(text):
                opaque = opaque or not _harmless(text, place)
            else:
                references.append((EITHER, text, field))
                opaque = True  # the file may name others; reading it for a rare feature is not worth the code
    return {"references": references, "opaque": opaque}


def chart(data: bytes, place: str) -> dict[str, Any]:
    """Return `{"local": [[name, path], ...]}`: dependencies of a chart that are folders of the repository."""
    documents = yaml_events.load_documents(data)
    content = documents[0] if documents and isinstance(documents[0], dict) else {}
    local = []
    for entry in _mappings(content, "dependencies", place):
        repository, name = entry.get("repository"), entry.get("name")
        if isinstance(repository, str) and isinstance(name, str) and repository.startswith("file://"):
            local.append([name, repository.removeprefix("file://")])
    return {"local": local}


def load_kustomization(data: bytes, place: str) -> dict[str, Any]:
    """Return the one document of a kustomization file, {} for an empty one."""
    try:
        documents = yaml_events.load_documents(data)
    except RenderFailed as error:
        raise type(error)(f"{place}: {error}") from None
    if not documents:
        return {}
    if len(documents) > 1 or not isinstance(documents[0], dict):
        raise RenderFailed(f"{place}: a kustomization file holds exactly one YAML mapping; found something else")
    return documents[0]


def _inline(text: str) -> bool:
    return "\n" in text or text.lstrip().startswith("{") or ": " in text


def _harmless(text: str, place: str) -> bool:
    """Whether inline plug-in configuration only names built-in plug-ins that read no files."""
    documents = yaml_events.load_documents(text.encode())
    for document in documents:
        if not isinstance(document, dict) or document.get("apiVersion") != "builtin":
            raise UnsafeContent(f"{place}: only built-in kustomize plug-ins run here; found {str(document)[:80]!r}")
        if document.get("kind") not in _BUILTIN_WITHOUT_FILES:
            return False
    return True


def _texts(content: dict[str, Any], field: str, place: str) -> list[str]:
    values = content.get(field) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RenderFailed(f"{place}: {field} must be a list of texts")
    return values


def _mappings(content: dict[str, Any], field: str, place: str) -> list[dict[str, Any]]:
    values = content.get(field) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise RenderFailed(f"{place}: {field} must be a list of mappings")
    return values
