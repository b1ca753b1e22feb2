"""What a sync would do, in order, told without a cluster: the same plan, over objects from files.

What an API server adds is not known here. So only fields that Git names are compared, and an object that agrees in them
counts as in sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.desired import Desired, desired_objects
from gitops_workers.core.errors import PruneRefused
from gitops_workers.core.kinds import assumed_scopes
from gitops_workers.core.marks import marked
from gitops_workers.core.model import Application, Dialect
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.ordering import SYNC_WAVE, argocd_order, flux_stage, mirrored, wave_of
from gitops_workers.core.places import NOTHING, Place, at, counterpart
from gitops_workers.core.plan import Stage, plan
from gitops_workers.core.prune import Deletion, Evidence, candidates, decide
from gitops_workers.core.record import InventoryItem

SYNC = "Sync"
_FLUX_STAGES = ("definitions", "classes", "objects")


@dataclass(frozen=True, slots=True)
class Planned:
    """One task. `action`: create, update, none (in sync), prune, or keep (left Git and stays)."""

    phase: str
    wave: int
    action: str
    key: ObjectKey
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """All tasks in order. `consent` is not empty where a human would have to say yes to the deletes: why."""

    tasks: tuple[Planned, ...]
    consent: str = ""


def preview(app: Application, manifests: Sequence[Manifest], live: Sequence[Manifest]) -> Preview:
    """What a sync of these manifests over these live objects would do.

    Every live object counts as one that the application manages. Raises RenderFailed as a sync does.
    """
    scopes = assumed_scopes([*manifests, *live])
    desired = desired_objects(app, manifests, scopes)
    existing = {item.key: item for item in desired_objects(app, live, scopes)}
    inventory = [InventoryItem(item.key, item.version) for item in existing.values()]
    stale = candidates(inventory, {item.key: item for item in desired})
    originals = dict(zip(existing, live, strict=True))
    evidence = Evidence(0, 0, 0, {item.key: _managed(app, item.key, originals[item.key]) for item in stale})
    doomed = stale if app.sync.prune else ()
    pruning = decide(app, doomed, len(inventory), evidence, wanted=len(desired), consent=True)
    consent = ""
    try:
        decide(app, doomed, len(inventory), evidence, wanted=len(desired), consent=False)
    except PruneRefused as error:
        consent = str(error)
    waves = _waves(app, desired, pruning.deletions)
    stages = plan(app, desired, pruning.deletions).stages
    found = [planned for stage in stages for planned in _stage(app, stage, waves, originals)]
    found += [_kept(key, "no longer in Git, and an annotation keeps it") for key in pruning.kept]
    if not app.sync.prune:
        found += [_kept(item.key, "no longer in Git, and prune is off") for item in stale]
    return Preview(tuple(found), consent)


def _managed(app: Application, key: ObjectKey, live: Manifest) -> Manifest:
    """A live object as it would look if the application had applied it; files need not have a uid."""
    found = marked(app, key, live)
    return {**found, "metadata": {"uid": "", **found["metadata"]}}


def _stage(
    app: Application, stage: Stage, waves: Mapping[ObjectKey, int], live: Mapping[ObjectKey, Manifest]
) -> Iterable[Planned]:
    deletions = [
        Planned(SYNC, waves[item.key], "prune", item.key, f"no longer in Git; {_prune_order(app)}")
        for item in stage.deletions
    ]
    applies = [_apply(app, item, waves[item.key], live.get(item.key)) for item in stage.objects]
    return [*deletions, *applies] if stage.deletes_first else [*applies, *deletions]


def _apply(app: Application, item: Desired, wave: int, live: Manifest | None) -> Planned:
    order = _order(app, item, wave)
    if live is None:
        return Planned(SYNC, wave, "create", item.key, f"not in the cluster; {order}")
    place = first_difference(_named(item.manifest), live)
    if place is None:
        return Planned(SYNC, wave, "none", item.key, f"agrees with the live object; {order}")
    return Planned(SYNC, wave, "update", item.key, f"differs at {_dotted(place)}; {order}")


def first_difference(desired: Any, live: Any, place: Place = ()) -> Place | None:
    """The first place at which a live value is not what is desired; what only the live side has does not count."""
    if isinstance(desired, dict):
        if not isinstance(live, dict):
            return place or None
        found = (first_difference(value, live.get(key, NOTHING), (*place, key)) for key, value in desired.items())
        return next((each for each in found if each is not None), None)
    if isinstance(desired, list) and isinstance(live, list):
        for index, value in enumerate(desired):
            there = counterpart((index,), desired, live)
            other = NOTHING if there is None else at(live, there)
            if (found_at := first_difference(value, other, (*place, index))) is not None:
                return found_at
        named = any(isinstance(value, dict) for value in desired)
        return None if named or len(desired) == len(live) else place
    return None if type(desired) is type(live) and desired == live else place


def _named(manifest: Manifest) -> Manifest:
    """Without our own marks: live objects of another engine do not have them, and that alone is no news."""
    metadata = dict(manifest["metadata"])
    for field in ("labels", "annotations"):
        marks = {name: value for name, value in (metadata.get(field) or {}).items() if not _is_mark(name)}
        metadata.pop(field, None)
        if marks:
            metadata[field] = marks
    return {**manifest, "metadata": metadata}


def _is_mark(name: str) -> bool:
    return name.startswith(("applyset.kubernetes.io/", "kustomize.toolkit.fluxcd.io/n")) or name.endswith("tracking-id")


def _waves(app: Application, desired: Sequence[Desired], deletions: Sequence[Deletion]) -> dict[ObjectKey, int]:
    if app.dialect is Dialect.FLUX:
        keys = [item.key for item in desired] + [item.key for item in deletions]
        return {key: flux_stage(key) for key in keys}
    turned = mirrored(item.wave for item in deletions)
    applied = {task.item.key: task.wave for task in argocd_order(desired)}
    return {**applied, **{item.key: turned[item.wave] for item in deletions}}


def _order(app: Application, item: Desired, wave: int) -> str:
    if app.dialect is Dialect.FLUX:
        return f"stage {_FLUX_STAGES[wave]}"
    own = wave_of(item.manifest)
    if own != wave:
        return f"moved from wave {own} ahead of the first object that needs it"
    named = SYNC_WAVE in (item.manifest["metadata"].get("annotations") or {})
    return f"wave {wave} by annotation" if named else f"wave {wave}"


def _prune_order(app: Application) -> str:
    return "after all applies, in reverse order" if app.dialect is Dialect.FLUX else "waves of deletes are turned round"


def _kept(key: ObjectKey, why: str) -> Planned:
    return Planned(SYNC, 0, "keep", key, why)


def _dotted(place: Place) -> str:
    """`spec.containers[0].image`, `metadata.labels['a.b/c']`."""
    parts = [f".{part}" if str(part).isidentifier() else f"[{part!r}]" for part in place]
    return "".join(parts).lstrip(".") or "the top"
