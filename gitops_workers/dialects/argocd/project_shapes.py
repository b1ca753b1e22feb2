"""The shape of an AppProject (argocd.md 1.7)."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from typing import Annotated, Any

from gitops_workers.dialects.durations import Window
from gitops_workers.dialects.field_rules import one_of
from gitops_workers.dialects.fields import ManifestModel, Unsupported
from gitops_workers.dialects.metadata import Object


class DestinationRule(ManifestModel):
    """`spec.destinations[]`."""

    server: str = ""
    name: str = ""
    namespace: str = ""
    description: str = ""


class KindShape(ManifestModel):
    """An entry of the white and black lists."""

    group: str = ""
    kind: str
    name: str = ""


class WindowShape(ManifestModel):
    """`spec.syncWindows[]`."""

    kind: Annotated[str, one_of("allow", "deny")]
    schedule: str
    duration: Window
    time_zone: str = "UTC"
    applications: list[str] = []
    namespaces: list[str] = []
    clusters: list[str] = []
    and_operator: bool = False
    manual_sync: bool = False
    sync_overrun: bool = False
    description: str = ""


class ProjectSpec(ManifestModel):
    """`spec`."""

    description: str = ""
    source_repos: list[str] = []
    source_namespaces: list[str] = []
    destinations: list[DestinationRule] = []
    cluster_resource_whitelist: list[KindShape] = []
    cluster_resource_blacklist: list[KindShape] = []
    namespace_resource_whitelist: list[KindShape] | None = None
    namespace_resource_blacklist: list[KindShape] = []
    sync_windows: list[WindowShape] = []
    roles: Annotated[Any, Unsupported("a role of a project")] = None
    orphaned_resources: Annotated[Any, Unsupported("watching orphaned resources")] = None
    signature_keys: Annotated[Any, Unsupported("verifying signatures", refuses=True)] = None
    source_integrity: Annotated[Any, Unsupported("verifying sources", refuses=True)] = None
    permit_only_project_scoped_clusters: Annotated[Any, Unsupported("clusters of a project", refuses=True)] = None
    destination_service_accounts: Annotated[Any, Unsupported("acting as a service account", refuses=True)] = None


class ProjectShape(Object):
    """The whole manifest (argoproj.io/v1alpha1)."""

    spec: ProjectSpec = ProjectSpec()
