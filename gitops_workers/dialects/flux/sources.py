"""What the kinds of Flux' sources have in common: how others name them, and what comes of their manifests."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.model import Condition, SourceSpec
from gitops_workers.core.render.render_spec import Pairs
from gitops_workers.dialects.field_rules import Name
from gitops_workers.dialects.fields import ManifestModel


class LocalReference(ManifestModel):
    """A Secret, ServiceAccount ... of the same namespace."""

    name: Name


@dataclass(frozen=True, slots=True)
class SourceKey:
    """What a sourceRef names."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`GitRepository flux-system/apps`, for messages."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """A source without a path, and what its manifest hands on to those that name it."""

    key: SourceKey
    source: SourceSpec
    interval: float
    suspended: bool = False
    labels: Pairs = ()
    conditions: tuple[Condition, ...] = ()
    refusal: str = ""
