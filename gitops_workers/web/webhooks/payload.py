"""Reading JSON that anybody may have written: bounded, and without any belief in its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from gitops_workers.web.webhooks.event import Body, Headers, PushEvent, Rejected

MAX_ITEMS = 2_048
"""Changes or links looked at; what is beyond is only a hint lost."""

MAX_VALUES = 800_000
"""Values of one body, counted before they are made: each costs up to 200 bytes, and 25 MB of a push hold 500,000."""

WHOLE = 1_048_576
"""Bytes of a body that is made into objects as a whole, which costs six times its size."""

MAX_TEXT = 2_048
"""Characters of one URL or ref; longer ones name no repository anybody configured."""


class _Parts(TypedDict, total=False):
    """What providers are asked for; the rest of an event, its commits above all, is passed over unmade."""

    ref: Any
    repository: Any
    project: Any
    event_name: Any
    object_kind: Any
    push: Any
    changes: Any
    eventType: Any
    resource: Any


_PARTS: TypeAdapter[_Parts] = TypeAdapter(_Parts)


def parse_object(body: Body) -> Mapping[str, Any]:
    """Read a JSON object. orjson bounds the depth (1,024), refuses NaN, and takes numbers of any length."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise Rejected(f"the body holds more than {MAX_VALUES:,} values; no event of a Git server does", 413)
    try:
        value = orjson.loads(body) if len(body) <= WHOLE else _PARTS.validate_json(body)
    except (orjson.JSONDecodeError, ValidationError) as problem:
        raise Rejected("the body is not JSON; send the event as application/json") from problem
    if not isinstance(value, dict):
        raise Rejected("the body is no JSON object; send the provider's own push event")
    return value


def parse_payload(headers: Headers, body: Body) -> Mapping[str, Any]:
    """Read a JSON body, or the `payload` field of a form, by content type."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return parse_object(body)
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=8)
    except ValueError as problem:
        raise Rejected("the form cannot be read; choose the content type application/json at the provider") from problem
    if not fields.get("payload"):
        raise Rejected("the form has no field `payload`; choose the content type application/json at the provider")
    return parse_object(fields["payload"][0].encode())


def text(value: Any, *path: str) -> str:
    """Follow keys to a text; "" when something on the way is missing, of another type, or too long."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and len(value) <= MAX_TEXT else ""


def items(value: Any, *path: str) -> Iterator[Mapping[str, Any]]:
    """Follow keys to a list and give its objects, at most MAX_ITEMS of them."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        yield from (item for item in value[:MAX_ITEMS] if isinstance(item, dict))


def push(urls: list[str], refs: list[str], branch: str = "") -> PushEvent:
    """Build the event; Rejected when the sender named no repository."""
    known = tuple(dict.fromkeys(url for url in urls if url))
    if not known:
        raise Rejected("the event names no repository URL; send the provider's own push event")
    return PushEvent(known, tuple(dict.fromkeys(ref for ref in refs if ref)), branch)
