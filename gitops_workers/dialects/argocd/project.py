"""An Argo CD AppProject: what its applications may do, and when (argocd.md 1.7)."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from typing import Annotated, Any

from gitops_workers.core.project import AllowedDestination, KindRule, Project, SyncWindow, WindowKind
from gitops_workers.dialects.durations import Window
from gitops_workers.dialects.fields import Later, Reading, Shape, one_of, shown
from gitops_workers.dialects.metadata import Object
from gitops_workers.dialects.schedules import problem

NAMESPACE = "argocd"


class DestinationRule(Shape):
    """`spec.destinations[]`."""

    server: str = ""
    name: str = ""
    namespace: str = ""
    description: str = ""


class KindShape(Shape):
    """An entry of the white and black lists."""

    group: str = ""
    kind: str
    name: str = ""


class WindowShape(Shape):
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


class ProjectSpec(Shape):
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
    roles: Annotated[Any, Later("a role of a project")] = None
    orphaned_resources: Annotated[Any, Later("watching orphaned resources")] = None
    signature_keys: Annotated[Any, Later("verifying signatures", refuses=True)] = None
    source_integrity: Annotated[Any, Later("verifying sources", refuses=True)] = None
    permit_only_project_scoped_clusters: Annotated[Any, Later("clusters of a project", refuses=True)] = None
    destination_service_accounts: Annotated[Any, Later("acting as a service account", refuses=True)] = None


class ProjectShape(Object):
    """The whole manifest (argoproj.io/v1alpha1)."""

    spec: ProjectSpec = ProjectSpec()


def parse_project(reading: Reading) -> Project | None:
    """The project, None when the document has an error; the reading then holds all of them."""
    shape = reading.shape(ProjectShape)
    if shape is None:
        return None
    spec = shape.spec
    windows = tuple(_window(reading, index, item) for index, item in enumerate(spec.sync_windows))
    if reading.failed:
        return None
    allowed = spec.namespace_resource_whitelist
    return Project(
        name=shape.metadata.name,
        namespace=shape.metadata.namespace or NAMESPACE,
        source_repos=tuple(spec.source_repos),
        source_namespaces=tuple(spec.source_namespaces),
        destinations=tuple(AllowedDestination(item.server, item.name, item.namespace) for item in spec.destinations),
        cluster_allowed=_kinds(spec.cluster_resource_whitelist),
        cluster_denied=_kinds(spec.cluster_resource_blacklist),
        namespaced_allowed=None if allowed is None else _kinds(allowed),
        namespaced_denied=_kinds(spec.namespace_resource_blacklist),
        windows=windows,
    )


def _kinds(shapes: list[KindShape]) -> tuple[KindRule, ...]:
    return tuple(KindRule(item.group, item.kind, item.name) for item in shapes)


def _window(reading: Reading, index: int, shape: WindowShape) -> SyncWindow:
    if wrong := problem(shape.schedule, shape.time_zone):
        place = ("spec", "syncWindows", index, "schedule")
        reading.error(place, f"found {shown(shape.schedule)}: {wrong}.")
    return SyncWindow(
        WindowKind(shape.kind),
        shape.schedule,
        shape.duration,
        shape.time_zone,
        tuple(shape.applications),
        tuple(shape.namespaces),
        tuple(shape.clusters),
        every=shape.and_operator,
        manual=shape.manual_sync,
        overrun=shape.sync_overrun,
    )
