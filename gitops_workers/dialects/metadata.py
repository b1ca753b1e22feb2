"""What every manifest has: apiVersion, kind, metadata, and a status that only controllers write."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from typing import Any

from gitops_workers.dialects.field_rules import Name, Namespace
from gitops_workers.dialects.fields import ManifestModel


class Metadata(ManifestModel):
    """Kubernetes ObjectMeta. What only servers write is accepted and not looked at: exported manifests have it."""

    name: Name
    namespace: Namespace = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: list[str] = []
    generate_name: Any = None
    creation_timestamp: Any = None
    deletion_grace_period_seconds: Any = None
    deletion_timestamp: Any = None
    generation: Any = None
    managed_fields: Any = None
    owner_references: Any = None
    resource_version: Any = None
    self_link: Any = None
    uid: Any = None


class Object(ManifestModel):
    """The top level of a custom resource; `spec` is each kind's own."""

    api_version: str
    kind: str
    metadata: Metadata
    status: Any = None
