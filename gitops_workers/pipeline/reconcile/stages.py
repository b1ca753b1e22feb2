"""The stages that only read: each takes the value of the stage before and returns the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.compare import Compared, ignores_extraneous
from gitops_workers.core.diff.desired import Desired, desired_objects, own_scopes
from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents.kinds import RECORD_COPY
from gitops_workers.core.errors import ApplyRefused, GitOpsError, RenderFailed
from gitops_workers.core.health import settled
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.core.policy.policy import allows_repository
from gitops_workers.core.prune.candidates import Deletion
from gitops_workers.core.record.record import InventoryItem, applyset_id
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.settings.governing import may_use
from gitops_workers.core.status.rows import LEFT_GIT
from gitops_workers.core.sync.hooks import Hook, hook, split
from gitops_workers.pipeline import records
from gitops_workers.pipeline.context import Context, RenderPorts
from gitops_workers.pipeline.reconcile.object_state import Inspector, ObjectState
from gitops_workers.ports import Closure, Cluster, Discovery, RenderContext, Rendered

T = TypeVar("T")
R = TypeVar("R")

PARALLEL = 8
"""Requests of one application in flight: hides the latency of a far cluster, and is fair on a near one."""


def render_objects(
    context: RenderPorts, app: Application, resolved: Resolved, found: Discovery
) -> tuple[Closure, Rendered]:
    """The inputs and the rendered objects."""
    span, commit = context.tracer.span, resolved.commit
    with span("fetch", commit=commit):
        context.sources.fetch(app.source, commit)
    with span("closure", commit=commit):
        closure = context.closures.closure(app.source, app.render, resolved, app.name, allows_repository(app))
    may_use(app, closure.tool)
    reads = RenderContext(
        app_name=app.name,
        app_namespace=app.namespace,
        project=app.project,
        namespace=app.render.helm.namespace or app.destination.namespace,
        resolved=resolved,
        kube_version=found.kube_version,
        api_versions=found.api_versions,
        variables=variables_of(context, app),
    )
    with span("render", commit=commit):
        return closure, context.renderer.render(app.source, app.render, closure, reads)


def variables_of(context: RenderPorts, app: Application) -> tuple[tuple[str, str], ...]:
    """Flux postBuild variables: later sources over earlier ones, inline values over all (flux.md, substitution)."""
    substitution = app.render.substitution
    if substitution is None:
        return ()
    values: dict[str, str] = {}
    for source in substitution.sources:
        values.update(_variables(context, source))
    values.update(dict(substitution.variables))
    return tuple(sorted(values.items()))


def _variables(context: RenderPorts, source: SecretRef) -> Mapping[str, str]:
    data = context.secrets.read(source)
    if data is not None:
        return {name: value.decode("utf-8", "replace") for name, value in data.items()}
    if source.optional:
        return {}
    raise RenderFailed(
        f"postBuild.substituteFrom: {source.kind} {source.namespace}/{source.name} was not found. "
        "Add it to the catalogue or to GITOPS_SECRETS, or mark it optional."
    )


def scopes_of(found: Discovery) -> dict[GroupKind, bool]:
    """For each served kind whether it is namespaced."""
    return {kind: resource.namespaced for kind, resource in found.resources.items()}


def scopes_for(cluster: Cluster, found: Discovery, objects: Sequence[Manifest]) -> dict[GroupKind, bool]:
    """The scopes of what is served; where `found` lacks a kind that nothing here defines, the cluster is asked again.

    What this process remembers may be older than the CRD that another worker has applied a moment ago.
    """
    unknown = {key_of(manifest).group_kind for manifest in objects} - found.resources.keys()
    return scopes_of(cluster.discovery(refresh=True) if unknown - own_scopes(objects).keys() else found)


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What Git wants in the cluster. `left_alone` are objects that are neither applied nor gone (hook `Skip`)."""

    desired: tuple[Desired, ...]
    hooks: tuple[Hook, ...] = ()
    left_alone: tuple[ObjectKey, ...] = ()
    odd: tuple[str, ...] = ()
    """Objects that nobody knows when to run, each with what is wrong with it."""

    @property
    def keys(self) -> tuple[ObjectKey, ...]:
        """Everything that Git names."""
        return (*(item.key for item in self.desired), *(hook.item.key for hook in self.hooks), *self.left_alone)


def desired_state(app: Application, objects: Sequence[Manifest], scopes: Mapping[GroupKind, bool]) -> DesiredState:
    """Objects, hooks, and what is left alone, each with its identity in the cluster. Raises RenderFailed."""
    parts = split(objects, app.dialect)
    found = desired_objects(app, (*parts.applied, *parts.hooks), scopes)
    applied, hooks = found[: len(parts.applied)], found[len(parts.applied) :]
    alone = (item for item in parts.passed_over if key_of(item).group_kind in scopes)
    left_alone = tuple(item.key for item in desired_objects(app, alone, scopes))
    odd = tuple(f"{key_of(manifest)}: {wrong}" for manifest, wrong in parts.odd)
    return DesiredState(applied, tuple(map(hook, hooks)), left_alone, odd)


def inspect_objects(
    observer: Inspector, desired: tuple[Desired, ...], baseline: SyncBaseline, moved: frozenset[ObjectKey] | None
) -> dict[ObjectKey, ObjectState]:
    """Every desired object compared with the cluster; unchanged ones without a request.

    `moved` are objects seen to have changed; None means that nothing is known and all are asked for. All refusals of
    the dry-run are collected into one ApplyRefused, and then nothing has been written (design, section 8).
    """
    cluster, app = observer.cluster, observer.app
    asked = [item for item in desired if _must_ask(app, item, baseline, moved)]
    missing = missing_namespaces(cluster, app, desired, asked)
    found = cluster.discovery()
    unserved = _unserved(desired, found)

    def ask(item: Desired) -> ObjectState | ApplyRefused:
        if item.key.group_kind not in found.resources and item.key.group_kind not in unserved:
            return ObjectState(Compared(item, exists=False, differs=True), None, fresh=True, unserved=True)
        if item.key.namespace in missing or item.key.group_kind in unserved:
            return ObjectState(Compared(item, exists=False, differs=True), None, fresh=True)
        return observer.look(item, baseline.objects.get(item.key))

    answers = dict(zip((item.key for item in asked), _each(ask, asked), strict=True))
    refusals = [answer for answer in answers.values() if isinstance(answer, ApplyRefused)]
    if refusals:
        more = f" {len(refusals) - 1} more objects were refused." if len(refusals) > 1 else ""
        raise ApplyRefused(f"{refusals[0]}{more}") from refusals[0]
    states = {key: answer for key, answer in answers.items() if isinstance(answer, ObjectState)}
    for item in desired:
        if item.key not in states:
            known = baseline.objects[item.key]
            same = Compared(item, exists=True, differs=False, uid=known.uid, resource_version=known.resource_version)
            states[item.key] = ObjectState(same, known.health, fresh=False, agreed=known)
    return states


def _must_ask(app: Application, item: Desired, baseline: SyncBaseline, moved: frozenset[ObjectKey] | None) -> bool:
    known = baseline.objects.get(item.key)
    if moved is None or known is None or known.digest != item.digest or item.key in moved:
        return True
    return not settled(app.dialect, known.health)


def claims(context: Context, cluster_name: str) -> Callable[[ObjectKey, str], str]:
    """Whose an object is: the declared application with this mark, if it has not given the object up; else ""."""

    def claimed(key: ObjectKey, mark: str) -> str:
        other = next((app for app in context.state.applications() if applyset_id(app) == mark), "")
        stored = records.load(context, cluster_name, other, context.state.load(RECORD_COPY, other)) if other else None
        if stored is None or all(item.key != key for item in stored.record.inventory):
            return ""
        rows = (row for row in context.state.resources(other) if row.message == LEFT_GIT)
        left = any((row.group, row.kind, row.namespace, row.name) == tuple(key) for row in rows)
        # A renamed application takes the objects over from the one that is leaving, which then spares them.
        left = left or ((app := context.state.application(other)) is not None and app.leaving is not None)
        return "" if left else other

    return claimed


def missing_namespaces(
    cluster: Cluster, app: Application, desired: Iterable[Desired], asked: Iterable[Desired]
) -> frozenset[str]:
    """Namespaces that this very sync will create: what goes into them cannot be dry-run yet."""
    own = {item.key.name for item in desired if item.key.kind == "Namespace" and not item.key.group}
    if app.sync.create_namespace and app.destination.namespace:
        own.add(app.destination.namespace)
    wanted = own & {item.key.namespace for item in asked}
    return frozenset(name for name in wanted if cluster.get(ObjectKey("", "Namespace", "", name), "v1") is None)


def _unserved(desired: Iterable[Desired], found: Discovery) -> frozenset[GroupKind]:
    """Kinds whose CRD is part of this sync and not established yet."""
    return frozenset(own_scopes(item.manifest for item in desired)) - found.resources.keys()


def extraneous(cluster: Cluster, app: Application, stale: Iterable[InventoryItem]) -> frozenset[ObjectKey]:
    """What left Git and says of itself that this is no difference. What cannot be read says nothing."""
    if not policy_of(app.dialect).deletion.leftover_differs:
        return frozenset()

    def says_so(item: InventoryItem) -> bool:
        try:
            live = cluster.get(item.key, item.version)
        except GitOpsError:
            return False
        return live is not None and ignores_extraneous(live)

    items = list(stale)
    return frozenset(item.key for item, found in zip(items, _each(says_so, items), strict=True) if found)


def read_candidates(cluster: Cluster, stale: Iterable[InventoryItem | Deletion]) -> dict[ObjectKey, Manifest | None]:
    """The live side of what left Git, also after its delete; any error means that it is not known, and is raised."""
    items = list(stale)
    return dict(zip((item.key for item in items), _each(lambda i: cluster.get(i.key, i.version), items), strict=True))


def _each(function: Callable[[T], R], items: list[T]) -> list[R]:
    if len(items) <= PARALLEL:
        return [function(item) for item in items]
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(function, items))
