"""From looks to what is shown and remembered: health, agreement, resource rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gitops_workers.core.agreement import Agreed, Agreement, agreed
from gitops_workers.core.health import Member, aggregate, member, settled
from gitops_workers.core.masking import mask
from gitops_workers.core.model import Application, Dialect, Health, SyncStatus
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.ordering import wave_of
from gitops_workers.core.status import LEFT_GIT, ResourceView
from gitops_workers.core.unified import diff
from gitops_workers.pipeline.sight import Sight
from gitops_workers.pipeline.stages import Look


def health(app: Application, looks: Mapping[ObjectKey, Look]) -> Health:
    """The application's health by its dialect's rules."""
    return aggregate(app.dialect, [_member(app, look) for look in looks.values()])


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
    """What is agreed now: the objects found in sync."""
    objects: dict[ObjectKey, Agreed] = {}
    for key, look in (sight.looks if looks is None else looks).items():
        if not look.compared.in_sync:
            continue
        if look.compared.live is not None:
            objects[key] = agreed(look.compared.desired, look.compared.live, look.health)
        elif look.agreed is not None:
            objects[key] = look.agreed
    return Agreement(
        sight.resolved.commit, sight.closure, sight.rendered, synced, objects, sight.attempt.token, sight.rules
    )


def resources(sight: Sight, looks: Mapping[ObjectKey, Look] | None = None) -> tuple[ResourceView, ...]:
    """One row per object, with a masked diff where it differs, and one per object that left Git."""
    rows = [_row(sight.app, look) for look in (sight.looks if looks is None else looks).values()]
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
        if looks is None or not sight.app.sync.prune
    ]
    return tuple(rows)


def _row(app: Application, look: Look) -> ResourceView:
    compared, desired = look.compared, look.compared.desired
    text = ""
    if compared.differs:
        target, live = mask(compared.would_be or desired.manifest, compared.beside or compared.live)
        text = diff(desired.key, live, target)
    found = _member(app, look).health
    return ResourceView(
        desired.key.group,
        desired.version,
        desired.key.kind,
        desired.key.namespace,
        desired.key.name,
        SyncStatus.SYNCED if compared.in_sync else SyncStatus.OUT_OF_SYNC,
        found.status if found else None,
        found.message if found else "",
        wave_of(desired.manifest),
        text,
    )
