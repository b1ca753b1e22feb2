"""An Argo CD Application becomes an application of ours."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from gitops_workers.core.model import Application, Destination, Dialect, Schedule
from gitops_workers.core.policy.project import Project
from gitops_workers.dialects.annotations import finish_first, last_object
from gitops_workers.dialects.argocd.deleting import deleting
from gitops_workers.dialects.argocd.ignore import ignore_rule
from gitops_workers.dialects.argocd.shapes import ApplicationShape, Source, Spec
from gitops_workers.dialects.argocd.shapes import Destination as DestinationShape
from gitops_workers.dialects.argocd.source import git_source, render_spec
from gitops_workers.dialects.argocd.sync_policy import sync_policy, without_effect
from gitops_workers.dialects.dependencies import dependencies
from gitops_workers.dialects.document import Path
from gitops_workers.dialects.field_rules import is_plain
from gitops_workers.dialects.fields import ParseContext, pairs
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind, References

NAMESPACE = "argocd"
INTERVAL = 120.0
JITTER = 60.0
"""Argo CD's `timeout.reconciliation` and its jitter, in seconds."""
_PREFIX = "argocd.argoproj.io/"
_SKIP = f"{_PREFIX}skip-reconcile"
ANNOTATIONS_LATER = ("notifications.argoproj.io/*", f"{_PREFIX}hydrate")
"""Annotations of an Application that this version does not do; a star stands for the rest of the name."""


def parse(reading: ParseContext, references: References) -> tuple[Application, ...]:
    """The application; none when the document has an error. One whose project cannot be read must not do anything."""
    shape = reading.shape(ApplicationShape)
    if shape is None:
        return ()
    metadata, spec = shape.metadata, shape.spec
    path, source = _source(reading, spec)
    destination = _destination(reading, spec.destination)
    policy = replace(sync_policy(reading, spec.sync_policy), finish_first=finish_first(reading, metadata.annotations))
    end = deleting(reading, metadata, spec.sync_policy.sync_options)
    _remarks(reading, shape)
    if source is None:
        return ()
    depends_on = dependencies(reading, metadata, references.application_kinds)
    render = replace(render_spec(reading, path, source), last_object=last_object(reading, metadata.annotations))
    git = git_source(reading, path, source)
    if reading.failed:
        return ()
    name = spec.project or "default"
    project = references.project(name)
    refusals = [*reading.refusals, *([project] if isinstance(project, str) else [])]
    application = Application(
        id=KIND.application_id(metadata.namespace, metadata.name),
        dialect=Dialect.ARGOCD,
        source=git,
        render=render,
        destination=destination,
        sync=policy,
        schedule=Schedule(INTERVAL, JITTER, INTERVAL, suspended=metadata.annotations.get(_SKIP) == "true"),
        project=name,
        limits=project if isinstance(project, Project) else None,
        labels=pairs(metadata.labels),
        history_limit=spec.revision_history_limit,
        ignore=tuple(ignore_rule(shape) for shape in spec.ignore_differences),
        depends_on=depends_on,
        conditions=tuple(reading.conditions),
        refusal=" ".join(refusals),
        origin=reading.document.file,
        deleting=end,
    )
    return (application,)


def _source(reading: ParseContext, spec: Spec) -> tuple[Path, Source | None]:
    """`sources` beats `source`, as in Argo CD. Of several the first with a path stands for them in listings."""
    if len(spec.sources) > 1:
        reading.refuse(("spec", "sources"), "several sources are not done by this version: nothing is synced.")
    if spec.sources:
        index = next((index for index, source in enumerate(spec.sources) if source.path), 0)
        return ("spec", "sources", index), spec.sources[index]
    if spec.source is None and spec.source_hydrator is not None:
        return ("spec", "sourceHydrator", "drySource"), spec.source_hydrator.dry_source or Source.model_validate({})
    if spec.source is None and not reading.wrong_at(("spec", "source")):
        reading.error(("spec", "source"), "the field is missing: name repoURL and path.")
    return ("spec", "source"), spec.source


def _destination(reading: ParseContext, shape: DestinationShape | None) -> Destination:
    path = ("spec", "destination")
    if shape is None:
        if not reading.wrong_at(path):
            reading.error(path, "the field is missing: name a cluster by server or by name.")
        return Destination()
    if bool(shape.server) == bool(shape.name):
        found = "both" if shape.server else "neither"
        reading.error(path, f"found {found} of server and name, allowed is exactly one of them.")
    for key, value in (("server", shape.server), ("name", shape.name)):
        if not is_plain(value):
            reading.error((*path, key), "the text holds control characters or starts with '-': remove them.")
    return Destination(name=shape.name, server=shape.server, namespace=shape.namespace)


def _remarks(reading: ParseContext, shape: ApplicationShape) -> None:
    """What stands in the metadata and asks for something that is not done."""
    metadata = shape.metadata
    for key in metadata.annotations:
        if any(fnmatchcase(key, pattern) for pattern in ANNOTATIONS_LATER):
            reading.remark(("metadata", "annotations", key), "the annotation is not done by this version.")


KIND = ManifestKind(
    dialect=Dialect.ARGOCD,
    group="argoproj.io",
    kind="Application",
    versions=("v1alpha1",),
    namespace=NAMESPACE,
    model=ApplicationShape,
    contributes=Contribution.APPLICATION,
    parse=parse,
    refers_to=frozenset({Contribution.PROJECT}),
    refuses=("more than one of `spec.sources`", "`oci://` in `spec.source.repoURL`"),
    without_effect=(
        *(f"`{text}` in `syncOptions`" for text in without_effect()),
        *(f"`{text}`" for text in ANNOTATIONS_LATER),
    ),
)
