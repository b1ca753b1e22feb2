"""A Flux Kustomization with its GitRepository becomes one application of ours."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.cluster.access import IN_CLUSTER
from gitops_workers.core.model import (
    Application,
    Destination,
    Dialect,
    HealthExpressions,
    IgnoreRule,
    Schedule,
    SourceSpec,
)
from gitops_workers.core.objects import group_of
from gitops_workers.core.render.render_spec import (
    Image,
    KustomizeMerge,
    KustomizeOptions,
    Patch,
    RenderSpec,
    SecretRef,
    Substitution,
    Tool,
)
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.core.sync.sync_policy import Retry, SyncPolicy
from gitops_workers.dialects.annotations import finish_first
from gitops_workers.dialects.dependencies import dependencies
from gitops_workers.dialects.fields import ParseContext, pairs
from gitops_workers.dialects.flux import NAMESPACE
from gitops_workers.dialects.flux.deletion_policy import deleting
from gitops_workers.dialects.flux.path_variables import ReadRef, resolve_path
from gitops_workers.dialects.flux.shapes import IgnoreTarget, ImageShape, KustomizationShape, KustomizationSpec
from gitops_workers.dialects.flux.sources import DeclaredSource, SourceKey
from gitops_workers.dialects.kustomize import components
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind, References
from gitops_workers.dialects.messages import shown
from gitops_workers.dialects.repo_url import PATH_ALLOWED, normal_path

JITTER = 0.05
"""Flux's `--interval-jitter-percentage`; ours only adds."""
SHORTEST_TIMEOUT = 30.0


def parse(reading: ParseContext, references: References) -> tuple[Application, ...]:
    """The application; none when the document has an error.

    A source that is not there is no error of the Kustomization, as in Flux: the application exists and says so.
    """
    shape = reading.shape(KustomizationShape)
    if shape is None:
        return ()
    metadata, spec = shape.metadata, shape.spec
    namespace = metadata.namespace or NAMESPACE
    if spec.source_ref is None and not reading.wrong_at(("spec", "sourceRef")):
        reading.error(("spec", "sourceRef"), "the field is missing: name the kind and name of a GitRepository.")
    substitution = _substitution(spec, namespace)
    path = _path(reading, spec.path, substitution or Substitution(), references.config)
    render = _render(reading, spec, substitution)
    rules = _health_rules(reading, spec)
    interval = spec.interval or references.flux_interval
    sync = replace(_sync(spec, interval), finish_first=finish_first(reading, metadata.annotations))
    depends_on = dependencies(reading, metadata, references.application_kinds, _depends_on(spec, namespace))
    if reading.failed or spec.source_ref is None:
        return ()
    ref = spec.source_ref
    key = SourceKey(ref.kind, ref.namespace or namespace, ref.name)
    repository = _source(reading, key, references, interval)
    if repository.suspended and not spec.suspend:
        reading.remark(("spec", "sourceRef"), f"{key} is suspended, and with it this application, drift included.")
    application = Application(
        id=KIND.application_id(namespace, metadata.name),
        dialect=Dialect.FLUX,
        source=replace(repository.source, path=path),
        render=render,
        destination=Destination(name=IN_CLUSTER, namespace=spec.target_namespace),
        sync=sync,
        schedule=_schedule(spec, interval, repository),
        labels=pairs(metadata.labels),
        health_rules=rules,
        depends_on=depends_on,
        ignore=tuple(_ignored(item) for item in spec.ignore),
        conditions=(*reading.conditions, *repository.conditions),
        refusal=" ".join(text for text in (*reading.refusals, repository.refusal) if text),
        origin=reading.document.file,
        declared_source=f"{key.kind}/{key.namespace}/{key.name}",
        deleting=deleting(spec.deletion_policy, prune=spec.prune, timeout=sync.timeout),
    )
    return (application,)


def _source(reading: ParseContext, key: SourceKey, references: References, interval: float) -> DeclaredSource:
    found = references.source(key)
    if isinstance(found, DeclaredSource):
        return found
    reading.refuse(("spec", "sourceRef"), found)
    return DeclaredSource(key, SourceSpec(""), interval)


def _path(reading: ParseContext, path: str, substitution: Substitution, read: ReadRef) -> str:
    """The folder to build; when a variable has no value yet the path stays as written and nothing is synced."""
    resolved, problem = resolve_path(path, substitution, read)
    if problem:
        reading.refuse(("spec", "path"), problem)
        return path
    folder = normal_path(resolved.lstrip("/"))
    if folder is None:
        reading.error(("spec", "path"), f"found {shown(resolved)}, allowed is {PATH_ALLOWED}.")
    return folder or "."


def _substitution(spec: KustomizationSpec, namespace: str) -> Substitution | None:
    build = spec.post_build
    if build is None:
        return None
    return Substitution(
        variables=pairs(build.substitute),
        sources=tuple(SecretRef(ref.kind, namespace, ref.name, ref.optional) for ref in build.substitute_from),
        always=build.substitute_strategy == "Always",
    )


def _render(reading: ParseContext, spec: KustomizationSpec, substitution: Substitution | None) -> RenderSpec:
    return RenderSpec(
        tool=Tool.KUSTOMIZE,
        kustomize=KustomizeOptions(
            merge=KustomizeMerge.FLUX,
            name_prefix=spec.name_prefix,
            name_suffix=spec.name_suffix,
            namespace=spec.target_namespace,
            images=tuple(_image(item) for item in spec.images),
            patches=tuple(
                Patch(item.patch, target=item.target.pairs() if item.target else ()) for item in spec.patches
            ),
            components=components(reading, ("spec", "components"), spec.components),
            ignore_missing_components=spec.ignore_missing_components,
        ),
        substitution=substitution,
        common_labels=pairs(spec.common_metadata.labels),
        common_annotations=pairs(spec.common_metadata.annotations),
    )


def _image(shape: ImageShape) -> Image:
    return Image(shape.name, shape.new_name, shape.new_tag, shape.digest)


def _sync(spec: KustomizationSpec, interval: float) -> SyncPolicy:
    """Flux always syncs by itself and corrects drift; it retries forever, at one pace."""
    pace = spec.retry_interval or interval
    return SyncPolicy(
        automated=True,
        prune=spec.prune,
        self_heal=True,
        respect_ignored=True,
        force=spec.force,
        wait=spec.wait,
        health_checks=tuple((item.api_version, item.kind, item.namespace, item.name) for item in spec.health_checks),
        timeout=spec.timeout or max(SHORTEST_TIMEOUT, interval - SHORTEST_TIMEOUT),
        retry=Retry(limit=-1, first=pace, factor=1.0, maximum=pace),
    )


def _ignored(item: IgnoreTarget) -> IgnoreRule:
    return IgnoreRule(pointers=tuple(item.paths), target=item.target.pairs() if item.target else ())


def _health_rules(reading: ParseContext, spec: KustomizationSpec) -> tuple[HealthExpressions, ...]:
    rules: dict[tuple[str, str], HealthExpressions] = {}
    for index, item in enumerate(spec.health_check_exprs):
        group = group_of(item.api_version)
        if (group, item.kind) in rules:
            place = ("spec", "healthCheckExprs", index)
            what = f"{item.kind} of {group}" if item.kind else f"the group {group}"
            reading.error(place, f"{what} has expressions already: give each kind one entry.")
        rules[group, item.kind] = HealthExpressions(group, item.kind, item.current, item.in_progress, item.failed)
    return tuple(rules.values())


def _depends_on(spec: KustomizationSpec, namespace: str) -> list[Dependency]:
    return [
        Dependency(KIND.application_id(item.namespace or namespace, item.name), item.ready_expr)
        for item in spec.depends_on
    ]


def _schedule(spec: KustomizationSpec, own: float, repository: DeclaredSource) -> Schedule:
    """One look serves both intervals: the source's for new commits, the Kustomization's for drift."""
    interval = min(own, repository.interval)
    return Schedule(
        interval=interval,
        jitter=interval * JITTER,
        retry_interval=spec.retry_interval or own,
        suspended=spec.suspend or repository.suspended,
    )


KIND = ManifestKind(
    dialect=Dialect.FLUX,
    group="kustomize.toolkit.fluxcd.io",
    kind="Kustomization",
    versions=("v1",),
    namespace=NAMESPACE,
    model=KustomizationShape,
    contributes=Contribution.APPLICATION,
    parse=parse,
    refers_to=frozenset({Contribution.SOURCE}),
)
