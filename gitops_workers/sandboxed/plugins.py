"""What kustomize reads for the plug-ins that a kustomization configures (kustomize 5.8, `api/internal/builtins`).

Only built-in plug-ins run. Each of them is listed with the fields that name files; one that is not listed is refused,
so that a later kustomize cannot bring one that reads what nobody checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.sandboxed.fields import mappings, text, texts

Input = tuple[str, str]
"""The field for messages, and the file that it names."""

_WITHOUT_FILES = frozenset(
    "AnnotationsTransformer HashTransformer IAMPolicyGenerator ImageTagTransformer LabelTransformer"
    " NamespaceTransformer PrefixSuffixTransformer PrefixTransformer ReplicaCountTransformer SuffixTransformer".split()
)
_PATHS = {
    "PatchJson6902Transformer": "path",
    "PatchTransformer": "path",
    "ValueAddTransformer": "targetFilePath",
}
_NESTED_LISTS = 8


def inputs(data: bytes, place: str) -> list[Input]:
    """Return what the plug-ins of one file, or of one inline text, read. Raises UnsafeContent for what may not run."""
    try:
        documents = yaml_events.load_documents(data)
    except RenderFailed as error:
        raise type(error)(f"{place}: {error}") from None
    return [found for document in documents for one in _members(document, place) for found in _inputs(one, place)]


def sources(entry: Mapping[str, Any], place: str) -> list[Input]:
    """Return the files of a ConfigMap or Secret generator: `files` may say `key=path`."""
    found = [("files", name.partition("=")[2] or name) for name in texts(entry, "files", place)]
    return found + [("envs", name) for name in (*texts(entry, "envs", place), text(entry, "env", place)) if name]


def _members(document: Any, place: str, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if document is None:
        return
    if not isinstance(document, dict) or depth > _NESTED_LISTS:
        raise UnsafeContent(f"{place}: plug-in configuration is a mapping; found {type(document).__name__}")
    if str(document.get("kind", "")).endswith("List"):
        for item in document.get("items") or []:
            yield from _members(item, place, depth + 1)
    else:
        yield document


def _inputs(config: Mapping[str, Any], place: str) -> list[Input]:
    kind = config.get("kind")
    if config.get("apiVersion") != "builtin":
        raise UnsafeContent(
            f"{place}: only built-in kustomize plug-ins run here (apiVersion: builtin); found "
            f"{str(config.get('apiVersion'))[:80]!r}, kind {str(kind)[:80]!r}"
        )
    if kind in _WITHOUT_FILES:
        return []
    if kind in ("ConfigMapGenerator", "SecretGenerator"):
        return [(f"{kind}.{name}", value) for name, value in sources(config, place)]
    if kind in _PATHS:
        return [(f"{kind}.{_PATHS[kind]}", value)] if (value := text(config, _PATHS[kind], place)) else []
    if kind == "PatchStrategicMergeTransformer":
        return [(f"{kind}.paths", value) for value in texts(config, "paths", place)]
    if kind == "ReplacementTransformer":
        named = [text(entry, "path", place) for entry in mappings(config, "replacements", place)]
        return [(f"{kind}.replacements", value) for value in named if value]
    raise UnsafeContent(
        f"{place}: the kustomize plug-in {str(kind)[:80]!r} does not run here; write what it would print"
    )
