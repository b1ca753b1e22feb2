"""Documents as they stand in the store: for what another release, or somebody's hand, has written."""

from __future__ import annotations

import functools
from typing import Any

from gitops_workers.core.documents.kind import Kind, Owner


@functools.cache
def raw(name: str) -> Kind[Any]:
    """The kind of this name, whose documents are JSON data."""
    return Kind(name, "anything", Owner.ATTEMPT, decode=lambda value: value, encode=lambda value: value)
