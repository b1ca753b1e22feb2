"""An Argo CD AppProject: what its applications may do, and when (argocd.md 1.7)."""

from __future__ import annotations

from gitops_workers.core.model import Dialect
from gitops_workers.core.policy.project import AllowedDestination, KindRule, Project, SyncWindow, WindowKind
from gitops_workers.dialects.argocd.project_checks import check_project
from gitops_workers.dialects.argocd.project_shapes import KindShape, ProjectShape, WindowShape
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind, References
from gitops_workers.dialects.messages import shown
from gitops_workers.dialects.schedules import problem

NAMESPACE = "argocd"


def parse(reading: ParseContext, _: References) -> tuple[Project, ...]:
    """The project; none when the document has an error."""
    shape = reading.shape(ProjectShape)
    if shape is None:
        return ()
    spec = shape.spec
    check_project(reading, spec)
    windows = tuple(_window(reading, index, item) for index, item in enumerate(spec.sync_windows))
    if reading.failed:
        return ()
    allowed = spec.namespace_resource_whitelist
    project = Project(
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
    return (project,)


def _kinds(shapes: list[KindShape]) -> tuple[KindRule, ...]:
    return tuple(KindRule(item.group, item.kind, item.name) for item in shapes)


def _window(reading: ParseContext, index: int, shape: WindowShape) -> SyncWindow:
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


KIND = ManifestKind(
    dialect=Dialect.ARGOCD,
    group="argoproj.io",
    kind="AppProject",
    versions=("v1alpha1",),
    namespace=NAMESPACE,
    model=ProjectShape,
    contributes=Contribution.PROJECT,
    parse=parse,
)
