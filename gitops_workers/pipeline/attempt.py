"""One look at one application: lease, stages, at most one step of its operation, report.

Read `look` from top to bottom: it is the design's data flow. Each line takes the value of the line before; a refusal
or an outage leaves it as an error whose class says what happens next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from gitops_workers.core import agreement as agreements
from gitops_workers.core import operation as operations
from gitops_workers.core.agreement import Agreement
from gitops_workers.core.desired import Desired, desired_objects
from gitops_workers.core.errors import GitOpsError, Refused, Retry, Superseded, Throttled
from gitops_workers.core.hooks import without_hooks
from gitops_workers.core.model import AppId, Application, Condition, Dialect, Phase, Resolved, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.operation import Operation
from gitops_workers.core.plan import Plan, plan
from gitops_workers.core.policy import check, permits
from gitops_workers.core.prune import Evidence, Pruning, candidates, decide
from gitops_workers.core.record import InventoryItem, StoredRecord
from gitops_workers.pipeline import reach, records, stages, step, views, windows
from gitops_workers.pipeline.outcome import Outcome
from gitops_workers.pipeline.report import abandon, report, stamp
from gitops_workers.pipeline.stages import Look
from gitops_workers.pipeline.world import World
from gitops_workers.ports import Attempt, Cluster

log = structlog.get_logger()

DOCUMENTS = ("override", "agreement", "drift", "request", "operation", "listed", records.KIND)
"""What an attempt reads of its application, in one round trip."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the reading stages found: the input of the decision and of the step."""

    app: Application
    attempt: Attempt
    cluster_name: str
    cluster: Cluster
    resolved: Resolved
    closure: str
    rendered: str
    desired: tuple[Desired, ...]
    agreement: Agreement
    stored: StoredRecord | None
    listed_at: float
    looks: dict[ObjectKey, Look]
    stale: tuple[InventoryItem, ...]
    extra: frozenset[ObjectKey]
    """Those of them that are no difference (compare-options IgnoreExtraneous)."""
    rules: str
    """The word for the rules by which it is looked at."""
    previous: Operation | None
    asked: Mapping[str, Any]
    """What a human asked for: `{"prune": bool, "by": str}`, empty when nobody did."""

    @property
    def leftover(self) -> bool:
        """Whether something that left Git is a difference."""
        return any(item.key not in self.extra for item in self.stale)

    @property
    def inventory(self) -> tuple[InventoryItem, ...]:
        """Everything that this sync will have written."""
        return tuple(InventoryItem(item.key, item.version) for item in self.desired)

    @property
    def unfinished(self) -> bool:
        """Whether the last sync has not come to its good end, or the record does not list what is ours."""
        if self.stored is None:
            return bool(self.desired)
        listed = {item.key for item in self.stored.record.inventory}
        return self.stored.record.open or any(item.key not in listed for item in self.desired)


def reconcile(world: World, app_id: AppId) -> None:
    """Serve the application's wanted generation, or the part of it that can be done without waiting."""
    attempt = world.queue.begin(app_id, world.lease)
    if attempt is None:
        return
    app = world.state.application(app_id)
    if app is None:
        world.queue.finish(attempt, done=True, due_in=None)
        return
    known = world.state.load_of(app_id, DOCUMENTS)
    try:
        outcome = look(world, app, attempt, known)
    except Superseded as error:
        log.info("attempt_superseded", app=app_id, generation=attempt.generation, reason=str(error))
        world.queue.finish(attempt, done=False, due_in=1.0)
        return
    except GitOpsError as error:
        outcome = _failed(world, app, attempt, known, error)
    except BaseException:
        log.exception("attempt_crashed", app=app_id, generation=attempt.generation)
        abandon(world, app, attempt)
        raise
    report(world, app, attempt, known, outcome)


def look(world: World, app: Application, attempt: Attempt, known: Mapping[str, Any]) -> Outcome:
    """The data flow of one attempt. Raises core.errors."""
    if suspended(app, known.get("override")):
        return _idle(world, app, "Suspended: nothing is fetched, compared or applied until it is resumed.")
    if app.refusal:
        raise Refused(app.refusal)
    world.rules.check(app)
    cluster_name = world.clusters.resolve(app.destination.name, app.destination.server)
    cluster = world.clusters.open(cluster_name)
    found = cluster.discovery()

    stored = records.load(world, cluster_name, app.id, known.get(records.KIND))
    # Another worker's memory of the refs may be older than what has been written since.
    newest = max(_newest(attempt, known), stored.record.listed_at if stored else 0.0)
    refs = world.sources.refs(app.source, not_before=newest)
    resolved = stages.resolve_revision(world, app, refs)
    closure, rendered = stages.render_objects(world, app, resolved, found)
    desired = desired_objects(app, without_hooks(rendered.objects), stages.scopes_of(found))
    check(app, (item.key for item in desired), cluster_name, world.clusters.server(cluster_name))

    agreement = agreements.from_json(known.get("agreement"))
    if stored and agreement.token < stored.record.writer:
        agreement = Agreement()  # somebody wrote after it and could not say what
    rules = world.rules.mark(app)
    if agreement.rules != rules:
        agreement = replace(agreement, objects={})  # what agreed by other rules may differ by these
    claimed = stages.claims(world, cluster_name)
    looks = stages.look_at(cluster, app, desired, agreement, _moved(known), world.rules, claimed)
    inventory = stored.record.inventory if stored else ()
    stale = candidates(inventory, looks)
    sight = Sight(
        app=app,
        attempt=attempt,
        cluster_name=cluster_name,
        cluster=cluster,
        resolved=resolved,
        closure=closure,
        rendered=rendered.digest,
        desired=desired,
        agreement=agreement,
        stored=stored,
        listed_at=refs.listed_at,
        looks=looks,
        stale=stale,
        extra=stages.extraneous(cluster, app, stale),
        rules=rules,
        previous=step.operation_from(known.get("operation")),
        asked=known.get("request") or {},
    )
    return _act(world, sight)


def suspended(app: Application, override: Mapping[str, Any] | None) -> bool:
    """Whether the application rests: what somebody said by hand goes before what its manifest says."""
    return bool(override["suspended"]) if override is not None else app.schedule.suspended


def _moved(known: Mapping[str, Any]) -> frozenset[ObjectKey] | None:
    """Objects that a cluster poll saw to have changed; None when every object has to be asked for."""
    if known.get("request"):
        return None
    return frozenset(ObjectKey(*text.split("|")) for text in known.get("drift") or ())


def _act(world: World, sight: Sight) -> Outcome:
    """Decide, and do one step of the operation where one is due."""
    app, now = sight.app, world.queue.now()
    differing = [key for key, item in sight.looks.items() if not item.compared.in_sync]
    running = operations.continues(sight.previous, sight.resolved, sight.rendered)
    unfinished = sight.unfinished and bool(app.sync.automated or sight.asked)
    if not running and not differing and not unfinished and not _to_prune(sight):
        return _agreed(sight, now)
    if not running and (reason := _held_back(sight, differing)):
        return _out_of_sync(sight, reason)
    shut = windows.look(
        world, app, sight.cluster_name, manual=bool(sight.asked), going=sight.previous if running else None
    )
    if shut is not None:
        return replace(_out_of_sync(sight, shut.reason), due_in=shut.due_in, served=not running)
    operation = sight.previous if running and sight.previous else _new_operation(sight, now)
    try:
        pruning = _pruning(world, sight)
        if not running:
            if pruning.only_kept and not differing and not unfinished:
                return _agreed(sight, now)
            operation = replace(operation, waves=tuple(sorted({item.wave for item in pruning.deletions})))
        planned: Plan = plan(app, sight.desired, pruning.deletions, operation.waves)
        return step.run(world, sight, operation, planned, pruning)
    except Refused as error:
        return _ended(sight, operations.finish(operation, Phase.FAILED, str(error), now), error)


def _to_prune(sight: Sight) -> bool:
    """Whether something that left Git is still to be deleted, or shown as such."""
    return sight.leftover and (sight.app.dialect is Dialect.ARGOCD or sight.app.sync.prune)


def _pruning(world: World, sight: Sight) -> Pruning:
    """Permission for the deletes of this generation. Without `prune` nothing is even read."""
    app = sight.app
    if not sight.stale or not (app.sync.prune or sight.asked.get("prune")):
        return Pruning()
    server = world.clusters.server(sight.cluster_name)
    stale = tuple(item for item in sight.stale if permits(app, item.key, sight.cluster_name, server))
    generation = sight.attempt.generation
    evidence = Evidence(
        generation=generation,
        rendered=generation,
        approved=generation,
        live=stages.read_candidates(sight.cluster, stale),
    )
    managed = len(sight.stored.record.inventory) if sight.stored else 0
    return decide(app, stale, managed, evidence, wanted=len(sight.desired), consent=bool(sight.asked.get("prune")))


def _held_back(sight: Sight, differing: list[ObjectKey]) -> str:
    """Why a difference is shown and not synced; "" when it is to be synced."""
    app = sight.app
    if sight.asked:
        return ""
    if not app.sync.automated:
        return f"{_count(sight, differing)}; automated sync is off: run `gitops-workers app sync {app.name}`."
    if not differing and sight.stale and not sight.unfinished and not app.sync.prune:
        return f"{len(sight.stale)} objects left Git; prune is off: run `gitops-workers app sync {app.name} --prune`."
    drifted = sight.agreement.synced == sight.rendered and not sight.unfinished
    if drifted and differing and not app.sync.self_heal:
        return f"{_count(sight, differing)} changed in the cluster; selfHeal is off."
    return ""


def _count(sight: Sight, differing: list[ObjectKey]) -> str:
    first = str(differing[0] if differing else sight.stale[0].key)
    total = len(differing) + len(sight.stale)
    return first if total == 1 else f"{first} and {total - 1} more objects"


def _new_operation(sight: Sight, now: float) -> Operation:
    previous = sight.previous
    same = previous is not None and previous.commit == sight.resolved.commit
    return operations.begin(
        sight.app,
        sight.attempt.generation,
        sight.resolved,
        now,
        str(sight.asked.get("by") or "automated sync"),
        failures=previous.failures if previous is not None and same else 0,
        consent=bool(sight.asked.get("prune")),
        rendered=sight.rendered,
    )


def _agreed(sight: Sight, now: float) -> Outcome:
    """Nothing to write: note the agreement, and look again while something is still becoming healthy."""
    health = views.health(sight.app, sight.looks)
    agreement = views.agreement(sight, synced=sight.rendered)
    looks = sight.previous.looks if sight.previous else 0
    waits = views.unsettled(sight.app, sight.looks)
    operation = _at_rest(sight, now)
    operation = replace(operation, failures=0, looks=looks + 1 if waits else 0) if operation else None
    due = step.health_delay(sight.app, looks) if waits else None
    return Outcome(
        message="In sync with Git.",
        sync=SyncStatus.SYNCED,
        health=health,
        resolved=sight.resolved,
        listed_at=sight.listed_at,
        operation=operation,
        agreement=agreement,
        resources=views.resources(sight),
        history=sight.stored.record.history if sight.stored else None,
        record=records.copy(sight.cluster_name, sight.stored) if sight.stored else None,
        conditions=sight.app.conditions,
        due_in=due,
    )


def _at_rest(sight: Sight, now: float) -> Operation | None:
    """The last operation; one that a newer commit made pointless ends here, since nobody steps it any more."""
    previous = sight.previous
    if previous is None or not previous.running:
        return previous
    overtaken = replace(previous, commit=sight.resolved.commit, ref=sight.resolved.ref)
    return operations.finish(overtaken, Phase.SUCCEEDED, "Nothing left to apply.", now)


def _out_of_sync(sight: Sight, reason: str) -> Outcome:
    return Outcome(
        message=reason,
        sync=SyncStatus.OUT_OF_SYNC,
        health=views.health(sight.app, sight.looks),
        resolved=sight.resolved,
        listed_at=sight.listed_at,
        agreement=views.agreement(sight, synced=sight.agreement.synced),
        resources=views.resources(sight),
        history=sight.stored.record.history if sight.stored else None,
        record=records.copy(sight.cluster_name, sight.stored) if sight.stored else None,
        conditions=sight.app.conditions,
    )


def _ended(sight: Sight, operation: Operation, error: GitOpsError) -> Outcome:
    """The operation failed for a reason that a human has to mend; what was there stays."""
    return Outcome(
        message=str(error),
        sync=SyncStatus.OUT_OF_SYNC,
        health=views.health(sight.app, sight.looks),
        resolved=sight.resolved,
        listed_at=sight.listed_at,
        operation=operation,
        agreement=views.agreement(sight, synced=sight.agreement.synced),
        resources=views.resources(sight),
        conditions=(*sight.app.conditions, Condition("SyncError", str(error))),
        due_in=step.retry_delay(sight.app, operation.failures),
    )


def _idle(world: World, app: Application, message: str) -> Outcome:
    status = world.state.status(app.id)
    return Outcome(
        message=message,
        sync=status.sync if status else SyncStatus.UNKNOWN,
        conditions=app.conditions,
        suspended=True,
    )


def _failed(world: World, app: Application, attempt: Attempt, known: Mapping[str, Any], error: GitOpsError) -> Outcome:
    """No comparison was possible: sync is Unknown, nothing was deleted, the last objects and health stay shown."""
    now = world.queue.now()
    reach.failed(world, app, error, stamp(now))
    previous = step.operation_from(known.get("operation"))
    if previous is None:
        nothing = operations.begin(app, attempt.generation, Resolved(""), now, "", failures=0, consent=False)
        previous = replace(nothing, phase=Phase.ERROR)
    failures = previous.failures + 1
    if previous.running:
        phase = Phase.ERROR if isinstance(error, Retry) else Phase.FAILED
        operation = operations.finish(previous, phase, str(error), now)
    else:
        operation = replace(previous, failures=failures)
    log.warning("attempt_failed", app=app.id, error=type(error).__name__, reason=str(error))
    tried, listed_at = _tried(world, app, _newest(attempt, known))
    delay = error.retry_after if isinstance(error, Throttled) else step.retry_delay(app, failures)
    return Outcome(
        message=str(error),
        sync=SyncStatus.UNKNOWN,
        operation=operation,
        tried=tried,
        listed_at=listed_at,
        conditions=(*app.conditions, Condition("ComparisonError", str(error))),
        served=not isinstance(error, Retry),
        due_in=delay,
    )


def _newest(attempt: Attempt, known: Mapping[str, Any]) -> float:
    """Refs listed before this moment are too old: for the request, or because a later attempt has seen newer ones."""
    return max(attempt.not_before, float(known.get("listed") or 0.0))


def _tried(world: World, app: Application, newest: float) -> tuple[str, float]:
    """What failed, so that polls leave it to the backoff: the commit or the refusal to find one; when it was listed."""
    listed_at = 0.0
    try:
        refs = world.sources.refs(app.source, not_before=newest)
        listed_at = refs.listed_at
        return stages.resolve_revision(world, app, refs).commit, listed_at
    except Refused as error:
        return str(error), listed_at
    except GitOpsError:
        return "", listed_at
