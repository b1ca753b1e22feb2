"""Receivers as values: webhook addresses that manifests declare, and what their requests concern."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.model import AppId
from gitops_workers.core.render.render_spec import SecretRef


@dataclass(frozen=True, slots=True)
class ReceiverTarget:
    """What a request concerns. Kinds that we have nothing of are kept, so that the answer can name them."""

    kind: str
    namespace: str
    name: str
    match_labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook. Its Secret's key `token` proves requests and makes the address; it is read at every request."""

    namespace: str
    name: str
    type: str
    secret: SecretRef
    targets: tuple[ReceiverTarget, ...]
    events: tuple[str, ...] = ()
    suspended: bool = False
    applications: tuple[AppId, ...] = ()
    """The applications behind the targets, sorted."""
    origin: str = ""
