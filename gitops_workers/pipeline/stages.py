"""The stages that only read: each takes the value of the stage before and returns the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from gitops_workers.core.absorption import absorption
from gitops_workers.core.agreement import Agreed, Agreement, content_of
from gitops_workers.core.compare import Compared, compared, ignores_extraneous
from gitops_workers.core.desired import CRD, Desired, desired_objects
from gitops_workers.core.errors import ApplyRefused, GitOpsError, RenderFailed
from gitops_workers.core.health import settled
from gitops_workers.core.hooks import Hook, hook, split
from gitops_workers.core.ignoring import Ignored, ignored, kept_alive, rules_for
from gitops_workers.core.marks import owner
from gitops_workers.core.model import Application, Dialect, GitSource, Health, IgnoreRule, Resolved, SecretRef
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.core.prune import Deletion, recreatable, recreation
from gitops_workers.core.record import InventoryItem, applyset_id
from gitops_workers.core.revisions import TAGS, History, NeedsBranch, NeedsCommit, NeedsDates, resolve
from gitops_workers.core.status import LEFT_GIT
from gitops_workers.pipeline import records
from gitops_workers.pipeline.world import World
from gitops_workers.ports import Closure, Cluster, Discovery, Refs, RenderContext, Rendered, Rules

T = TypeVar("T")
R = TypeVar("R")

PARALLEL = 8
"""Requests of one application in flight: hides the latency of a far cluster, and is fair on a near one."""


@dataclass(frozen=True, slots=True)
class Look:
    """One desired object as this attempt knows it: compared, and its health. `fresh` when it was asked for now."""

    compared: Compared
    health: Health | None
    fresh: bool
    agreed: Agreed | None = None
    recreate: Deletion | None = None
    """Set where an immutable field changed and the application allows deleting and creating the object."""


def resolve_revision(world: World, app: Application, refs: Refs) -> Resolved:
    """The commit of the wanted revision; reads tag dates, history or ancestry only where the rule asks for them."""
    source, history = app.source, History()
    answer = resolve(source.revision, refs.refs, refs.head, history)
    while not isinstance(answer, Resolved):
        history = _looked_up(world, source, refs, history, answer)
        answer = resolve(source.revision, refs.refs, refs.head, history)
    return answer


def _looked_up(
    world: World, source: GitSource, refs: Refs, history: History, needs: NeedsCommit | NeedsDates | NeedsBranch
) -> History:
    match needs:
        case NeedsCommit(prefix):
            commit = world.sources.resolve_short(source, prefix)
            return replace(history, commits={**history.commits, prefix: commit})
        case NeedsDates(tags):
            for tag in tags:
                world.sources.fetch(source, refs.refs[TAGS + tag])
            return replace(history, dates=world.sources.tag_times(source, tags))
        case NeedsBranch(commit, branch):
            world.sources.fetch(source, commit)
            return replace(history, on_branch=world.sources.on_branch(source, commit, branch))


def render_objects(world: World, app: Application, resolved: Resolved, found: Discovery) -> tuple[Closure, Rendered]:
    """The inputs and the rendered objects."""
    world.sources.fetch(app.source, resolved.commit)
    closure = world.closures.closure(app.source, app.render, resolved, app.name)
    context = RenderContext(
        app_name=app.name,
        app_namespace=app.namespace,
        project=app.project,
        namespace=app.render.helm.namespace or app.destination.namespace,
        resolved=resolved,
        kube_version=found.kube_version,
        api_versions=found.api_versions,
        variables=variables_of(world, app),
    )
    return closure, world.renderer.render(app.source, app.render, closure, context)


def variables_of(world: World, app: Application) -> tuple[tuple[str, str], ...]:
    """Flux postBuild variables: later sources over earlier ones, inline values over all (flux.md, substitution)."""
    substitution = app.render.substitution
    if substitution is None:
        return ()
    values: dict[str, str] = {}
    for source in substitution.sources:
        values.update(_variables(world, source))
    values.update(dict(substitution.variables))
    return tuple(sorted(values.items()))


def _variables(world: World, source: SecretRef) -> Mapping[str, str]:
    data = world.secrets.read(source)
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


def scopes_for(
    cluster: Cluster, app: Application, found: Discovery, objects: Iterable[Manifest]
) -> dict[GroupKind, bool]:
    """The scopes of what is served; for a kind that `found` lacks it is asked again, if a dependency may bring it.

    What this process remembers may be older than the CRD that another worker has applied a moment ago.
    """
    scopes = scopes_of(found)
    if app.depends_on and any(key_of(item).group_kind not in scopes for item in objects):
        return scopes_of(cluster.discovery(refresh=True))
    return scopes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What Git wants in the cluster. `left_alone` are objects that are neither applied nor gone (hook `Skip`)."""

    desired: tuple[Desired, ...]
    hooks: tuple[Hook, ...] = ()
    left_alone: tuple[ObjectKey, ...] = ()

    @property
    def keys(self) -> tuple[ObjectKey, ...]:
        """Everything that Git names."""
        return (*(item.key for item in self.desired), *(hook.item.key for hook in self.hooks), *self.left_alone)


def wanted(app: Application, objects: Sequence[Manifest], scopes: Mapping[GroupKind, bool]) -> Wanted:
    """Objects, hooks, and what is left alone, each with its identity in the cluster. Raises RenderFailed."""
    parts = split(objects, app.dialect)
    found = desired_objects(app, (*parts.applied, *parts.hooks), scopes)
    applied, hooks = found[: len(parts.applied)], found[len(parts.applied) :]
    alone = (item for item in parts.passed_over if key_of(item).group_kind in scopes)
    left_alone = tuple(item.key for item in desired_objects(app, alone, scopes))
    return Wanted(applied, tuple(map(hook, hooks)), left_alone)


def look_at(
    cluster: Cluster,
    app: Application,
    desired: tuple[Desired, ...],
    agreement: Agreement,
    moved: frozenset[ObjectKey] | None,
    rules: Rules,
    claimed: Callable[[ObjectKey, str], str] = lambda _key, _mark: "",
) -> dict[ObjectKey, Look]:
    """Every desired object compared with the cluster; unchanged ones without a request.

    `moved` are objects seen to have changed; None means that nothing is known and all are asked for. `claimed` tells
    whose an object with another mark than ours is. All refusals of the dry-run are collected into one ApplyRefused, and
    then nothing has been written (design, section 8).
    """
    asked = [item for item in desired if _must_ask(app, item, agreement, moved)]
    missing = missing_namespaces(cluster, app, desired, asked)
    unserved = _unserved(desired, cluster.discovery())

    def ask(item: Desired) -> Look | ApplyRefused:
        if item.key.namespace in missing or item.key.group_kind in unserved:
            return Look(Compared(item, exists=False, differs=True), None, fresh=True)
        try:
            look = _asked(cluster, app, item, agreement.objects.get(item.key), rules)
            return _others(app, item, look, claimed) or look
        except ApplyRefused as error:
            live = cluster.get(item.key, item.version) if recreatable(app, str(error)) else None
            if live is None:
                return error
            deletion = recreation(app, item, live)
            return Look(compared(item, live, item.manifest), None, fresh=True, recreate=deletion)

    answers = dict(zip((item.key for item in asked), _each(ask, asked), strict=True))
    refusals = [answer for answer in answers.values() if isinstance(answer, ApplyRefused)]
    if refusals:
        more = f" {len(refusals) - 1} more objects were refused." if len(refusals) > 1 else ""
        raise ApplyRefused(f"{refusals[0]}{more}") from refusals[0]
    looks = {key: answer for key, answer in answers.items() if isinstance(answer, Look)}
    for item in desired:
        if item.key not in looks:
            known = agreement.objects[item.key]
            same = Compared(item, exists=True, differs=False, uid=known.uid, resource_version=known.resource_version)
            looks[item.key] = Look(same, known.health, fresh=False, agreed=known)
    return looks


def _must_ask(app: Application, item: Desired, agreement: Agreement, moved: frozenset[ObjectKey] | None) -> bool:
    known = agreement.objects.get(item.key)
    if moved is None or known is None or known.digest != item.digest or item.key in moved:
        return True
    return not settled(app.dialect, known.health)


def _asked(cluster: Cluster, app: Application, item: Desired, known: Agreed | None, rules: Rules) -> Look:
    ignoring = rules_for(rules.ignored(app), item.key, item.version, item.manifest)
    respected = bool(ignoring) and app.sync.respect_ignored
    if respected or (known is not None and known.digest == item.digest):
        live = cluster.get(item.key, item.version)
        if known is not None and live is not None and known.digest == item.digest and content_of(live) == known.content:
            return _same(app, item, live, rules)
        payload = _kept_alive(item, live, ignoring, rules) if respected and live is not None else None
        would_be = cluster.apply(payload or item.manifest, dry_run=True).manifest
        return _compared(app, item, live, would_be, rules, ignoring, payload)
    answer = cluster.apply(item.manifest, dry_run=True)
    live = None if answer.created else cluster.get(item.key, item.version)
    return _compared(app, item, live, answer.manifest, rules, ignoring)


def _kept_alive(item: Desired, live: Manifest, ignoring: Sequence[IgnoreRule], rules: Rules) -> Manifest:
    """What to apply where ignored fields keep their live values."""
    return kept_alive(item.manifest, live, _left_alone(item, live, live, ignoring, rules).desired)


def _left_alone(
    item: Desired, live: Manifest, would_be: Manifest, ignoring: Sequence[IgnoreRule], rules: Rules
) -> Ignored:
    """The fields that the rules mean, those of their jq expressions included."""
    sides = (live, would_be, item.manifest)
    by_jq = rules.paths(jq, sides) if (jq := [text for rule in ignoring for text in rule.jq]) else ((), (), ())
    return ignored(ignoring, *sides, by_jq)


def _same(app: Application, item: Desired, live: Manifest, rules: Rules) -> Look:
    metadata = live.get("metadata") or {}
    same = Compared(
        item,
        exists=True,
        differs=False,
        uid=metadata.get("uid", ""),
        resource_version=metadata.get("resourceVersion", ""),
        live=live,
    )
    return Look(same, rules.health(app, live), fresh=True)


def _compared(
    app: Application,
    item: Desired,
    live: Manifest | None,
    would_be: Manifest,
    rules: Rules,
    ignoring: Sequence[IgnoreRule] = (),
    payload: Manifest | None = None,
) -> Look:
    if live is None:
        return Look(compared(item, None, would_be), None, fresh=True)
    result = compared(
        item,
        live,
        would_be,
        left_alone=_left_alone(item, live, would_be, ignoring, rules) if ignoring else None,
        absorbed=absorption(app.dialect, live, would_be) if app.sync.absorb else None,
        payload=payload,
    )
    return Look(result, rules.health(app, live), fresh=True)


def _others(
    app: Application, item: Desired, look: Look, claimed: Callable[[ObjectKey, str], str]
) -> ApplyRefused | None:
    """The refusal to take an object that another application still declares: both would write it for ever (F32)."""
    mark = owner(look.compared.live or {})
    other = claimed(item.key, mark) if mark not in ("", applyset_id(app.id)) else ""
    if not other:
        return None
    return ApplyRefused(
        f"{item.key} belongs to {other}, which declares it too: remove it from one of the two. "
        "It is taken over as soon as the other one has given it up."
    )


def claims(world: World, cluster_name: str) -> Callable[[ObjectKey, str], str]:
    """Whose an object is: the declared application with this mark, if it has not given the object up; else ""."""

    def claimed(key: ObjectKey, mark: str) -> str:
        other = next((app for app in world.state.applications() if applyset_id(app) == mark), "")
        stored = records.load(world, cluster_name, other, world.state.load(records.KIND, other)) if other else None
        if stored is None or all(item.key != key for item in stored.record.inventory):
            return ""
        rows = (row for row in world.state.resources(other) if row.message == LEFT_GIT)
        left = any((row.group, row.kind, row.namespace, row.name) == tuple(key) for row in rows)
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
    kinds = set()
    for item in desired:
        if item.key.group_kind == CRD:
            spec = item.manifest.get("spec") or {}
            kind = GroupKind(spec.get("group", ""), (spec.get("names") or {}).get("kind", ""))
            if kind not in found.resources:
                kinds.add(kind)
    return frozenset(kinds)


def extraneous(cluster: Cluster, app: Application, stale: Iterable[InventoryItem]) -> frozenset[ObjectKey]:
    """What left Git and says of itself that this is no difference. What cannot be read says nothing."""
    if app.dialect is not Dialect.ARGOCD:
        return frozenset()

    def says_so(item: InventoryItem) -> bool:
        try:
            live = cluster.get(item.key, item.version)
        except GitOpsError:
            return False
        return live is not None and ignores_extraneous(live)

    items = list(stale)
    return frozenset(item.key for item, found in zip(items, _each(says_so, items), strict=True) if found)


def read_candidates(cluster: Cluster, stale: Iterable[InventoryItem]) -> dict[ObjectKey, Manifest | None]:
    """The live side of everything that left Git; any error means that it is not known, and is raised."""
    items = list(stale)
    return dict(zip((item.key for item in items), _each(lambda i: cluster.get(i.key, i.version), items), strict=True))


def _each(function: Callable[[T], R], items: list[T]) -> list[R]:
    if len(items) <= PARALLEL:
        return [function(item) for item in items]
    with ThreadPoolExecutor(PARALLEL) as pool:
        return list(pool.map(function, items))
