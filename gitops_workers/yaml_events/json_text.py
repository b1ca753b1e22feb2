"""JSON manifests by orjson, with what orjson lets pass (a key twice, endless nesting) found again."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from gitops_workers.core.text.yaml_scalars import normal

DOUBTFUL: Final = object()
"""No plain JSON, or something is wrong with it: the slow reader knows what and where."""

_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"\s*+(:?)', re.DOTALL)


def load(data: bytes, *, depth: int, nodes: int) -> Any:
    """Return the value, or DOUBTFUL when the text is not plain JSON within these bounds without repeated keys."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return DOUBTFUL
    written = sum(1 for match in _TEXT.finditer(data) if match[1])
    found = _keys(value, depth, nodes)
    return value if found == written else DOUBTFUL


def _keys(root: Any, depth: int, nodes: int) -> int:
    """Count the keys, or return -1 over a bound; integral floats become integers on the way."""
    level = [root] if isinstance(root, dict | list) else []
    keys = seen = 0
    for _ in range(depth):
        below: list[Any] = []
        for node in level:
            seen += len(node)
            keys += len(node) if isinstance(node, dict) else 0
            for place, item in node.items() if isinstance(node, dict) else enumerate(node):
                if isinstance(item, dict | list):
                    below.append(item)
                elif isinstance(item, float | int) and not isinstance(item, bool):
                    node[place] = normal(item)
        if not below:
            return keys
        if seen > nodes:
            return -1
        level = below
    return -1
