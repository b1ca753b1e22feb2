"""Objects as YAML text that reads back as the same objects under Kubernetes' rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from gitops_workers.core.text import yaml_scalars


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None
    if "\n" in value:
        style = "|"  # what Go's YAML writes; substitution inside a script depends on it
    elif _reads_differently(value):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


def _reads_differently(value: str) -> bool:
    try:
        return value == "<<" or not isinstance(yaml_scalars.resolve(value), str)
    except yaml_scalars.ScalarRefused:
        return True


_Dumper.add_representer(str, _text)


def dump(value: Any) -> str:
    """Return one document, keys in their order, lines never folded."""
    text: str = yaml.dump(value, Dumper=_Dumper, width=-1, sort_keys=False, allow_unicode=True)
    return text


def dump_documents(objects: Iterable[Any]) -> str:
    """Return all objects, separated by `---`."""
    return "---\n".join(dump(item) for item in objects)
