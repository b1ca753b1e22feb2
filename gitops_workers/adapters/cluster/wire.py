"""Paths, queries and bodies of requests about objects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from gitops_workers.core.diff.managed_fields import MANAGER
from gitops_workers.core.errors import ApplyRefused
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.record.record import PART_OF
from gitops_workers.ports import ObjectMeta, Resource

JSON_PATCH_TYPE = "application/json-patch+json"
MERGE_PATCH_TYPE = "application/merge-patch+json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""The second is for API servers behind an APIService that cannot cut an object down: the whole says it too."""

_SERVERS_FIELDS = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
# Legal in JSON, but the API server reads an apply as YAML: DEL, C1 and non-characters are refused there, and NEL and
# the line and paragraph separators are line breaks. U+0085 in a value came back as another character.
_NOT_YAML = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]")


def collection_path(resource: Resource, version: str, namespace: str) -> str:
    """The path of a kind's objects: of one namespace, or of all with an empty one."""
    group = f"/apis/{quote(resource.group, safe='')}" if resource.group else "/api"
    place = f"/namespaces/{_segment(namespace, 'namespace')}" if namespace and resource.namespaced else ""
    return f"{group}/{quote(version, safe='')}{place}/{quote(resource.plural, safe='')}"


def object_path(resource: Resource, version: str, key: ObjectKey) -> str:
    """The path of one object. Raises ApplyRefused for a name that is no path segment (Kubernetes' own rule)."""
    if resource.namespaced and not key.namespace:
        raise ValueError(f"{key} has no namespace: the desired stage fills it in")
    if not key.name:
        raise ApplyRefused(f"{key.group_kind} without a name in namespace {key.namespace or '-'}; give metadata.name")
    return f"{collection_path(resource, version, key.namespace)}/{_segment(key.name, 'name')}"


def _segment(text: str, what: str) -> str:
    # "..", or a "/" that some proxy decodes, would name another object than the one that policy looked at.
    if text in (".", "..") or "/" in text or "%" in text:
        raise ApplyRefused(f"the {what} {text!r} cannot be used: no '/', no '%', and neither '.' nor '..'")
    return quote(text, safe="")


def body_of(manifest: Manifest, resource_version: str) -> bytes:
    """The manifest as a body, without what only a server may write. Raises ApplyRefused for what is no JSON."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name not in _SERVERS_FIELDS}
    if resource_version:
        metadata["resourceVersion"] = resource_version
    try:
        body = orjson.dumps({**manifest, "metadata": metadata})
    except TypeError as error:
        raise ApplyRefused(
            f"{manifest.get('kind')} {metadata.get('name')} holds a value that JSON cannot carry ({error}); "
            "numbers have at most 64 bits, keys are text"
        ) from None
    if body.isascii() and b"\x7f" not in body:
        return body
    return _NOT_YAML.sub(lambda match: b"\\u%04x" % ord(match[0].decode()), body)


def hand_over_body(fields: Sequence[Mapping[str, Any]], resource_version: str) -> bytes:
    """A JSON patch that changes who owns the fields of one version of an object, and nothing else."""
    return orjson.dumps(
        [
            {"op": "replace", "path": "/metadata/managedFields", "value": list(fields)},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
        ]
    )


def release_body(finalizers: Sequence[str], resource_version: str) -> bytes:
    """A merge patch that changes the finalizers of one version of an object, and nothing else."""
    return orjson.dumps({"metadata": {"finalizers": list(finalizers), "resourceVersion": resource_version}})


def delete_body(uid: str, propagation: str) -> bytes:
    """DeleteOptions that hit one incarnation only."""
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": uid},
        "propagationPolicy": propagation,
    }
    return orjson.dumps(options)


def write_query(*, dry_run: bool, validate: bool) -> dict[str, str]:
    """The parameters of a write. Strict, as kubectl's own default, unless fields need not be known."""
    query = {"fieldManager": MANAGER, "fieldValidation": "Strict" if validate else "Ignore"}
    return query | {"dryRun": "All"} if dry_run else query


def apply_query(*, dry_run: bool, validate: bool) -> dict[str, str]:
    """The parameters of an apply.

    The validation decides little: a 1.37 server refuses unknown and mistyped fields of an apply whatever it is told
    here, since field ownership needs the schema (see `undeclared`).
    """
    return write_query(dry_run=dry_run, validate=validate) | {"force": "true"}


def seen_in(resource: Resource, page: Mapping[str, Any]) -> dict[ObjectKey, ObjectMeta]:
    """The objects of one page. The server writes `"items": null` for an empty last page."""
    group, kind = resource.group, resource.kind
    return {
        ObjectKey(group, kind, metadata.get("namespace", ""), metadata["name"]): ObjectMeta(
            metadata["uid"],
            metadata["resourceVersion"],
            metadata.get("generation", 0),
            metadata.get("labels", {}).get(PART_OF, ""),
        )
        for metadata in (item["metadata"] for item in page["items"] or ())
    }
