"""From looks to what is shown and remembered: health, agreement, resource rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.masking import mask
from gitops_workers.core.diff.ownership import owner
from gitops_workers.core.diff.sync_baseline import ObjectBaseline, SyncBaseline, is_baseline
from gitops_workers.core.health import Member, aggregate, settled
from gitops_workers.core.model import Application, Health, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.record.record import applyset_id
from gitops_workers.core.status.rows import LEFT_GIT, ResourceView
from gitops_workers.core.sync.ordering import wave_of
from gitops_workers.core.text.unified_diff import diff
from gitops_workers.pipeline.reconcile.object_state import ObjectState
from gitops_workers.pipeline.reconcile.observation import Observation


def health(app: Application, states: Mapping[ObjectKey, ObjectState]) -> Health:
    """The application's health by its dialect's rules."""
    counted = (look for look in states.values() if look.health is not None or not look.compared.left_alone)
    return aggregate(app.dialect, [_member(app, look) for look in counted])


def _member(app: Application, look: ObjectState) -> Member:
    """A look as it counts: the health that was read or remembered, or what absence means for the kind."""
    rules, desired = policy_of(app.dialect).health, look.compared.desired
    if not look.compared.exists:
        return rules.absent(desired.key, desired.manifest)
    return Member(desired.key, look.health, ignored=rules.ignored(desired.manifest))


def unsettled(app: Application, states: Mapping[ObjectKey, ObjectState]) -> bool:
    """Whether some object may still become healthy by itself."""
    return any(look.compared.exists and not settled(app.dialect, look.health) for look in states.values())


def baseline(
    observation: Observation, *, synced: str, states: Mapping[ObjectKey, ObjectState] | None = None
) -> SyncBaseline:
    """What is agreed now: the objects found in sync.

    Not those without our mark, whatever puts them in sync: no poll lists them, so they would be missed forever.
    """
    objects: dict[ObjectKey, ObjectBaseline] = {}
    mark = applyset_id(observation.app.id)
    for key, look in (observation.states if states is None else states).items():
        if not look.compared.in_sync:
            continue
        if look.compared.live is not None and owner(look.compared.live) == mark:
            objects[key] = is_baseline(look.compared.desired, look.compared.live, look.health)
        elif look.agreed is not None:
            objects[key] = look.agreed
    return SyncBaseline(
        observation.resolved.commit,
        observation.closure,
        observation.rendered,
        synced,
        objects,
        observation.attempt.token,
        observation.rules,
    )


def retained(app: Application, pruning: Pruning) -> str:
    """What left Git, stays all the same, and why; "" when nothing does."""
    said = []
    if pruning.kept:
        said.append(f"{_counted(pruning.kept)} left Git and is kept, as an annotation or Prune=false asks for.")
    if pruning.awaiting_confirmation:
        said.append(
            f"{_counted(pruning.awaiting_confirmation)} left Git and waits for a confirmation (Prune=confirm, or known "
            "by its marks alone): set the application's annotation argocd.argoproj.io/deletion-approved to the time "
            f"now, or run `gitops-workers app sync {app.id} --prune`."
        )
    return " ".join(said)


def counts(observation: Observation, pruning: Pruning) -> bool:
    """Whether what stays although it left Git is a difference; an object may say that it is none."""
    differs = policy_of(observation.app.dialect).deletion.leftover_differs
    return differs and any(key not in observation.extra for key in pruning.retained)


def _counted(keys: tuple[ObjectKey, ...]) -> str:
    return str(keys[0]) if len(keys) == 1 else f"{keys[0]} (and {len(keys) - 1} more)"


def resources(
    observation: Observation, states: Mapping[ObjectKey, ObjectState] | None = None, kept: Iterable[ObjectKey] = ()
) -> tuple[ResourceView, ...]:
    """One row per object, with a masked diff where it differs, and one per object that left Git and is there still."""
    kept = frozenset(kept)
    namespace: tuple[ObjectState, ...] = (observation.namespace,) if observation.namespace else ()
    if states is not None:
        # A step brings it in order before anything else.
        namespace = tuple(replace(it, compared=replace(it.compared, exists=True, differs=False)) for it in namespace)
    rows = [
        _row(observation.app, look)
        for look in (*namespace, *(observation.states if states is None else states).values())
    ]
    rows += [
        ResourceView(
            item.key.group,
            item.version,
            item.key.kind,
            item.key.namespace,
            item.key.name,
            SyncStatus.SYNCED if item.key in observation.extra else SyncStatus.OUT_OF_SYNC,
            None,
            LEFT_GIT,
        )
        for item in observation.stale
        if states is None or not observation.app.sync.prune or item.key in kept or item.key in observation.denied
    ]
    return tuple(rows)


def key_of(row: ResourceView) -> ObjectKey:
    """The object that a row is about."""
    return ObjectKey(row.group, row.kind, row.namespace, row.name)


def _row(app: Application, look: ObjectState) -> ResourceView:
    compared, desired = look.compared, look.compared.desired
    text = ""
    if compared.differs:
        target, live = mask(compared.would_be or desired.manifest, compared.beside or compared.live)
        text = diff(desired.key, live, target)
    found = look.health if compared.left_alone else _member(app, look).health
    said = found.message if found else ""
    if compared.left_alone:
        said = f"Left alone: {compared.left_alone}."
    return ResourceView(
        desired.key.group,
        desired.version,
        desired.key.kind,
        desired.key.namespace,
        desired.key.name,
        SyncStatus.SYNCED if compared.in_sync else SyncStatus.OUT_OF_SYNC,
        found.status if found else None,
        said,
        wave_of(desired.manifest),
        text,
    )
