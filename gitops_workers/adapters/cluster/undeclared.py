"""Which fields of an apply the server does not know, from its own words.

A server that was told to ignore unknown fields does so for a create or a replace, but refuses an apply that has any:
who owns a field needs the schema. Read off a kube-apiserver 1.37; what cannot be read stays a refusal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gitops_workers.core.objects import Manifest
from gitops_workers.core.text.json_path import Place

_LINE: Final = re.compile(r"(?:\A|\): |\n)\s*(\.\S.*?): field not declared in schema(?=\n|\Z)")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[([^\]]*)\]")
_KEY: Final = re.compile(r"(\w+)=(\"(?:[^\"\\]|\\.)*\"|[^,\]]+)(?:,|\Z)")


def places(status: Mapping[str, Any], manifest: Manifest) -> tuple[Place, ...]:
    """Where the manifest has fields that this refusal calls unknown; none of them when one cannot be found.

    >>> places({"message": "failed to create typed patch object (): .spec.a: field not declared in schema"},
    ...        {"spec": {"a": 1}})
    (('spec', 'a'),)
    """
    found = [_place(path, manifest) for path in _LINE.findall(str(status.get("message", "")))]
    return tuple(place for place in found if place is not None) if None not in found else ()


def _place(path: str, value: Any) -> Place | None:
    place: list[str | int] = []
    end = 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            return None
        end = step.end()
        name, index, keys = step.groups()
        part = name if name is not None else int(index) if index is not None else _item(keys, value)
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
        place.append(part)  # type: ignore[arg-type]  # None is no key and no index
    return tuple(place) if end == len(path) else None


def _item(keys: str, value: Any) -> int | None:
    try:
        wanted = {name: json.loads(text) for name, text in _KEY.findall(keys)}
    except ValueError:
        return None
    items = value if isinstance(value, list) and wanted else []
    fitting = (
        index
        for index, item in enumerate(items)
        if isinstance(item, dict) and all(item.get(name, text) == text for name, text in wanted.items())
    )
    return next(fitting, None)
