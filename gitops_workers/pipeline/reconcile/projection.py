"""From looks to what is shown and remembered: health, agreement, resource rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_workers.core.diff.masking import mask
from gitops_workers.core.diff.ownership import owner
from gitops_workers.core.diff.sync_baseline import Agreed, Agreement, agreed
from gitops_workers.core.health import Member, aggregate, member, settled
from gitops_workers.core.model import Application, Dialect, Health, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.record.record import applyset_id
from gitops_workers.core.status.rows import LEFT_GIT, ResourceView
from gitops_workers.core.sync.ordering import wave_of
from gitops_workers.core.text.unified_diff import diff
from gitops_workers.pipeline.reconcile.object_state import Look
from gitops_workers.pipeline.reconcile.observation import Sight


def health(app: Application, looks: Mapping[ObjectKey, Look]) -> Health:
    """The application's health by its dialect's rules."""
    counted = (look for look in looks.values() if look.health is not None or not look.compared.left_alone)
    return aggregate(app.dialect, [_member(app, look) for look in counted])


def _member(app: Application, look: Look) -> Member:
    """A look as it counts: the health that was read or remembered, or what absence means for the kind."""
    absent = member(look.compared.desired.manifest, None, app.dialect)
    if not look.compared.exists:
        return absent
    return replace(absent, health=look.health, absent=False, ignored=absent.ignored and app.dialect is Dialect.ARGOCD)


def unsettled(app: Application, looks: Mapping[ObjectKey, Look]) -> bool:
    """Whether some object may still become healthy by itself."""
    return any(look.compared.exists and not settled(app.dialect, look.health) for look in looks.values())


def agreement(sight: Sight, *, synced: str, looks: Mapping[ObjectKey, Look] | None = None) -> Agreement:
    """What is agreed now: the objects found in sync.

    Not those without our mark, whatever puts them in sync: no poll lists them, so they would be missed for ever.
    """
    objects: dict[ObjectKey, Agreed] = {}
    mark = applyset_id(sight.app.id)
    for key, look in (sight.looks if looks is None else looks).items():
        if not look.compared.in_sync:
            continue
        if look.compared.live is not None and owner(look.compared.live) == mark:
            objects[key] = agreed(look.compared.desired, look.compared.live, look.health)
        elif look.agreed is not None:
            objects[key] = look.agreed
    return Agreement(
        sight.resolved.commit, sight.closure, sight.rendered, synced, objects, sight.attempt.token, sight.rules
    )


def staying(app: Application, pruning: Pruning) -> str:
    """What left Git, stays all the same, and why; "" when nothing does."""
    said = []
    if pruning.kept:
        said.append(f"{_counted(pruning.kept)} left Git and is kept, as an annotation or Prune=false asks for.")
    if pruning.unconfirmed:
        said.append(
            f"{_counted(pruning.unconfirmed)} left Git and waits for a confirmation (Prune=confirm, or known by its "
            "marks alone): set the application's annotation argocd.argoproj.io/deletion-approved to the time now, or "
            f"run `gitops-workers app sync {app.id} --prune`."
        )
    return " ".join(said)


def counts(sight: Sight, pruning: Pruning) -> bool:
    """Whether what stays although it left Git is a difference: to Argo CD, unless the object says that it is none."""
    argocd = sight.app.dialect is Dialect.ARGOCD
    return argocd and any(key not in sight.extra for key in pruning.staying)


def _counted(keys: tuple[ObjectKey, ...]) -> str:
    return str(keys[0]) if len(keys) == 1 else f"{keys[0]} (and {len(keys) - 1} more)"


def resources(
    sight: Sight, looks: Mapping[ObjectKey, Look] | None = None, kept: Iterable[ObjectKey] = ()
) -> tuple[ResourceView, ...]:
    """One row per object, with a masked diff where it differs, and one per object that left Git and is there still."""
    kept = frozenset(kept)
    namespace: tuple[Look, ...] = (sight.namespace,) if sight.namespace else ()
    if looks is not None:
        # A step brings it in order before anything else.
        namespace = tuple(replace(it, compared=replace(it.compared, exists=True, differs=False)) for it in namespace)
    rows = [_row(sight.app, look) for look in (*namespace, *(sight.looks if looks is None else looks).values())]
    rows += [
        ResourceView(
            item.key.group,
            item.version,
            item.key.kind,
            item.key.namespace,
            item.key.name,
            SyncStatus.SYNCED if item.key in sight.extra else SyncStatus.OUT_OF_SYNC,
            None,
            LEFT_GIT,
        )
        for item in sight.stale
        if looks is None or not sight.app.sync.prune or item.key in kept or item.key in sight.barred
    ]
    return tuple(rows)


def key_of(row: ResourceView) -> ObjectKey:
    """The object that a row is about."""
    return ObjectKey(row.group, row.kind, row.namespace, row.name)


def _row(app: Application, look: Look) -> ResourceView:
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
