"""What a chart's `values.schema.json` refers to: helm opens files and URLs that a schema names.

A schema may refer to parts of itself and to the published meta-schemas, which helm carries with it.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urldefrag, urljoin

import orjson

from gitops_workers.core.errors import RenderFailed, UnsafeContent

_BASE = "file:///values.schema.json"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "$schema")
_IDS = ("$id", "id")
_KNOWN = re.compile(
    r"https?://json-schema\.org/(?:draft-0[467]/schema|draft/(?:2019-09|2020-12)/(?:schema|meta/[a-z-]+))#?"
)


def check(data: bytes, place: str) -> None:
    """Refuse a schema that helm would look for elsewhere. Raises UnsafeContent, or RenderFailed for what is no JSON."""
    try:
        schema = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise RenderFailed(f"{place} is no JSON: {error}") from None
    known: set[str] = {_BASE}
    found: list[tuple[str, str]] = []
    _walk(schema, _BASE, known, found)
    for reference, target in found:
        if target not in known and not _KNOWN.fullmatch(target):
            raise UnsafeContent(
                f"{place} refers to {reference[:200]!r}, and nothing is opened or fetched while rendering: copy that "
                "part into the schema (`$defs`), or set helm.skipSchemaValidation: true"
            )


def _walk(schema: Any, base: str, known: set[str], found: list[tuple[str, str]]) -> None:
    """Collect the documents that the schema is, and those that it refers to."""
    waiting = [(schema, base)]
    while waiting:
        part, base = waiting.pop()
        if isinstance(part, list):
            waiting += [(item, base) for item in part]
        if not isinstance(part, dict):
            continue
        for name in _IDS:
            if isinstance(part.get(name), str):
                base = _document(base, part[name])
                known.add(base)
        texts = [part[name] for name in _REFERENCES if isinstance(part.get(name), str)]
        found += [(text, _document(base, text)) for text in texts]
        waiting += [(item, base) for item in part.values()]


def _document(base: str, reference: str) -> str:
    try:
        return urldefrag(urljoin(base, reference)).url
    except ValueError:
        return reference
