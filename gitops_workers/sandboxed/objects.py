"""From parsed documents to the objects of an application: lists flattened, identities checked, Flux post-build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.render import sops
from gitops_workers.core.text.substitution import SubstitutionFailed, substitute

LIMITS = yaml_events.Limits(size=16 << 20)
"""Rendered text may be larger than a file somebody wrote."""

OBJECTS = 10_000
"""Objects of one application; the largest known bundles have under 1 000."""

_NESTED_LISTS = 8
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")
_SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"


@dataclass(frozen=True, slots=True)
class Found:
    """One object and where it was: `apps/web.yaml, document 2`."""

    manifest: dict[str, Any]
    place: str


def read(data: bytes, place: str, remarks: list[str] | None = None) -> list[Found]:
    """Parse rendered text or a manifest file into objects.

    Where `remarks` is given, a key may stand twice in a mapping: the last one counts, and a sentence is added.
    """
    try:
        documents = load(data, place, remarks)
    except RenderFailed as error:
        raise type(error)(f"{place}: {error}") from None
    found: list[Found] = []
    for number, document in enumerate(documents, 1):
        found += _flatten(document, f"{place}, document {number}" if len(documents) > 1 else place)
    return found


def load(data: bytes, place: str, remarks: list[str] | None) -> list[Any]:
    """The documents of a text within its limits; `remarks` as for `read`."""
    repeats: list[yaml_events.Repeat] | None = None if remarks is None else []
    documents = yaml_events.load_documents(data, limits=LIMITS, repeats=repeats)
    if remarks is not None and repeats:
        more = f" (and {len(repeats) - 1} more)" if len(repeats) > 1 else ""
        key, line = repeats[0].key, repeats[0].line
        remarks.append(f"{place}, line {line}: the key {key!r} stands twice in one mapping{more}; the last one counts.")
    return documents


def finish(found: list[Found], request: Mapping[str, Any], remarks: Sequence[str] = ()) -> bytes:
    """Check identities, substitute, add common metadata, and return canonical JSON: `objects`, `remarks`, `repeated`.

    An object that stands twice is refused, or with `last_object` in the request its last form counts, and `repeated`
    has a sentence about it.
    """
    if len(found) > OBJECTS:
        raise RenderFailed(f"{len(found):,} objects are over the limit of {OBJECTS:,} for one application; split it")
    seen: dict[tuple[str, str, str, str], str] = {}
    result: dict[int, dict[str, Any]] = {}
    places: dict[tuple[str, str, str, str], int] = {}
    repeated = []
    for number, item in enumerate(found):
        _identity(item.manifest, item.place)  # before anything looks into its metadata
        if encrypted := sops.encrypted_key(item.manifest):
            raise RenderFailed(f"{encrypted} of {_title(item.manifest, item.place)} {sops.ADVICE}")
        manifest = _substituted(item, request.get("variables"))
        _add_metadata(manifest, request.get("common_labels") or {}, request.get("common_annotations") or {})
        key = _identity(manifest, item.place)
        if key[3]:
            if key in seen:
                words = f"{key[1]} {f'{key[2]}/' if key[2] else ''}{key[3]} stands twice: {seen[key]} and {item.place}"
                if not request.get("last_object"):
                    raise UnsafeContent(f"{words}; only one could win, so keep one")
                repeated.append(f"{words}; the last one counts.")
                del result[places[key]]
            seen[key], places[key] = item.place, number
        result[number] = manifest
    answer = {"objects": list(result.values()), "remarks": list(remarks), "repeated": repeated}
    return orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)


def _flatten(document: Any, place: str, depth: int = 0) -> Iterable[Found]:
    if document is None:
        return
    if sops.is_encrypted(document):
        raise RenderFailed(f"{_title(document, place)} {sops.ADVICE}")
    if isinstance(document, list):  # a JSON file may hold an array of objects
        members: Iterable[Any] = document
        kind = version = ""
    elif not isinstance(document, dict):
        raise RenderFailed(f"{place} is no object but {type(document).__name__}; remove it or exclude the file")
    elif _is_empty_list(document):
        return
    elif isinstance(document.get("items"), list) and str(document.get("kind", "")).endswith("List"):
        members, kind, version = document["items"], document["kind"][:-4], str(document.get("apiVersion", ""))
    else:
        yield Found(document, place)
        return
    if depth >= _NESTED_LISTS:
        raise UnsafeContent(f"{place}: lists are nested more than {_NESTED_LISTS} deep")
    for number, member in enumerate(members, 1):
        if isinstance(member, dict) and kind and "kind" not in member:  # ConfigMapList: members may leave it out
            member = {"apiVersion": version, "kind": kind, **member}  # noqa: PLW2901 - the member, completed
        yield from _flatten(member, f"{place}, item {number}", depth + 1)


def _is_empty_list(document: dict[str, Any]) -> bool:
    """Whether this is a typed list without items, as templates write it (`items: null`; Argo CD 3.5, `isNullList`)."""
    return "items" in document and document["items"] is None and not {"spec", "status"} & document.keys()


def _title(manifest: dict[str, Any], place: str) -> str:
    """What a message calls an object: after a build its place tells no file."""
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{place}: {str(manifest.get('kind') or 'the document')[:80]} {str(name or '')[:253]}".rstrip()


def _identity(manifest: dict[str, Any], place: str) -> tuple[str, str, str, str]:
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    version, kind = manifest.get("apiVersion"), manifest.get("kind")
    for path, value in (("apiVersion", version), ("kind", kind)):
        if not isinstance(value, str) or not value:
            raise RenderFailed(f"{place}: {path} is missing; every object needs apiVersion, kind and metadata.name")
    for path in ("name", "namespace", "generateName"):
        if not isinstance("" if metadata.get(path) is None else metadata.get(path), str):
            raise RenderFailed(f"{place}: metadata.{path} is no text; quote it")
    for path in ("labels", "annotations"):
        values = metadata.get(path) or {}
        if not isinstance(values, dict) or not all(isinstance(value, str | None) for value in values.values()):
            raise RenderFailed(f"{place}: metadata.{path} must map text to text; quote numbers and booleans")
    name = metadata.get("name") or ""
    if not name and not (
        metadata.get("generateName") and any(mark in (metadata.get("annotations") or {}) for mark in _HOOKS)
    ):
        raise RenderFailed(
            f"{place}: {kind} has no metadata.name; generateName is only for hooks, since each sync would add another"
        )
    return str(version).rpartition("/")[0], str(kind), metadata.get("namespace") or "", name


def _substituted(item: Found, variables: Mapping[str, str] | None) -> dict[str, Any]:
    manifest = item.manifest
    if variables is None or _opted_out(manifest) or b"$" not in orjson.dumps(manifest):
        return manifest
    title = f"{manifest.get('kind')} {(manifest.get('metadata') or {}).get('name')}"
    try:
        text = substitute(yaml_events.dump(manifest), variables)
    except SubstitutionFailed as error:
        raise RenderFailed(f"{title}: {error}") from None
    try:
        (result,) = yaml_events.load_documents(text.encode(), limits=LIMITS)
    except (RenderFailed, ValueError) as error:
        where = f" (line {line} of the object)" if (line := getattr(error, "line", 0)) else ""
        # The parser's own words could quote a variable's value, which may be secret.
        raise RenderFailed(f"{title} is no YAML after substitution{where}; a variable's value needs quotes") from None
    if not isinstance(result, dict):
        raise RenderFailed(f"{title} is no object after substitution; a variable's value needs quotes")
    return result


def _opted_out(manifest: dict[str, Any]) -> bool:
    metadata = manifest.get("metadata") or {}
    marks = [(metadata.get(path) or {}).get(_SUBSTITUTE) for path in ("labels", "annotations")]
    return "disabled" in marks


def _add_metadata(manifest: dict[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
    for path, values in (("labels", labels), ("annotations", annotations)):
        if values:
            metadata = manifest.setdefault("metadata", {})
            if isinstance(metadata, dict):
                metadata[path] = {**(metadata.get(path) or {}), **values}
