"""A unified diff of two objects for people to read: deterministic, bounded, never parsed again.

Masking comes first (`core.diff.masking`); here nothing is hidden, only what every API server writes by itself is left
out.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from gitops_workers.core.objects import Manifest, ObjectKey

LIMIT: Final = 64 * 1024
"""Bytes of a diff: it is stored with a status and sent to browsers."""

_LINES: Final = 4000
"""Lines that are compared line by line: comparing takes the product of both sides."""

_SERVER: Final = frozenset({"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"})
_PLAIN: Final = re.compile(r"[A-Za-z_./+][A-Za-z0-9_./+@%=,-]*(?: [A-Za-z0-9_./+@%=,-]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", ".nan", ".inf", "+.inf"})
_NUMBER: Final = re.compile(r"[-+.]?[0-9][0-9_.eExXoOa-fA-F:+-]*")


def diff(key: ObjectKey, live: Manifest | None, desired: Manifest | None) -> str:
    """What would change: `-` is live, `+` is desired, empty if nothing. At most 64 KiB, and the cut is said."""
    before, after = _render(live), _render(desired)
    if before == after:
        return ""
    head = [f"--- live/{key}", f"+++ desired/{key}"]
    if len(before) > _LINES or len(after) > _LINES:
        lines = iter([*head, *_coarse(before, after)])
    else:
        lines = difflib.unified_diff(before, after, head[0][4:], head[1][4:], lineterm="")
    return _bounded(lines)


def render(manifest: Manifest) -> str:
    """The object as YAML-like text: keys sorted, what the server writes left out."""
    return "\n".join(_render(manifest)) + "\n"


def normalised(manifest: Manifest) -> Manifest:
    """The object without its status and without the metadata that the API server writes."""
    kept = {field: value for field, value in manifest.items() if field != "status"}
    if isinstance(kept.get("metadata"), dict):
        kept["metadata"] = {field: value for field, value in kept["metadata"].items() if field not in _SERVER}
    return kept


def _render(manifest: Manifest | None) -> list[str]:
    return [] if manifest is None else list(_lines(normalised(manifest), ""))


def _lines(value: Any, indent: str) -> Iterator[str]:
    """The lines of a map or a list that is not empty."""
    if isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _entry(f"{indent}{_scalar(str(key))}:", value[key], indent)
    else:
        for item in value:
            if isinstance(item, (dict, list)) and item:
                first, *rest = _lines(item, indent + "  ")
                yield f"{indent}- {first[len(indent) + 2 :]}"
                yield from rest
            else:
                yield from _entry(f"{indent}-", item, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        # A list stands at the height of its key, as kubectl prints it.
        yield from _lines(value, indent + ("  " if isinstance(value, dict) else ""))
    elif isinstance(value, str) and _is_block(value):
        yield f"{head} {'|' if value.endswith(chr(10)) else '|-'}"
        yield from (f"{indent}  {line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    else:
        yield f"{head} {_scalar(value)}"


def _is_block(value: str) -> bool:
    lines = value.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and not value.endswith("\n\n")
        and lines[0][:1] not in ("", " ")
        and all(line.isprintable() and line == line.rstrip() for line in lines)
    )


def _scalar(value: Any) -> str:
    """Plain where it can be mistaken for nothing else, JSON where not; nothing that moves a terminal's cursor."""
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True, default=str)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not _NUMBER.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _coarse(before: list[str], after: list[str]) -> Iterator[str]:
    """For large objects: what both ends share is left out, and everything between is replaced as a whole."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    removed, added = before[start : len(before) - end], after[start : len(after) - end]
    yield f"@@ -{start + 1},{len(removed)} +{start + 1},{len(added)} @@"
    yield from (f"-{line}" for line in removed)
    yield from (f"+{line}" for line in added)


def _bounded(lines: Iterator[str]) -> str:
    kept: list[str] = []
    room = LIMIT - 100
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            more = 1 + sum(1 for _ in lines)
            kept.append(f"... cut at {LIMIT // 1024} KiB: {more} more lines")
            break
        kept.append(line)
    return "\n".join(kept) + "\n"
