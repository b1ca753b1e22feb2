"""YAML and JSON as Kubernetes reads them, in bounded time and memory, with the place of everything on request.

PyYAML's own loaders read another language (`core.text.yaml_scalars`), crash the interpreter on 50 000 nested brackets
and exhaust memory on a 400-byte alias bomb. Here libyaml only yields events; an iterative constructor builds the values
and stops at the first bound. Values that an alias repeats are shared: treat what is returned as frozen.
"""

from gitops_workers.yaml_events.constructor import (
    BadYaml,
    Document,
    Limits,
    Repeat,
    YamlBomb,
    load_documents,
    load_positions,
)
from gitops_workers.yaml_events.dump import dump, dump_documents

__all__ = [
    "BadYaml",
    "Document",
    "Limits",
    "Repeat",
    "YamlBomb",
    "dump",
    "dump_documents",
    "load_documents",
    "load_positions",
]
