"""What a sync would do, in order, told without a cluster: the same plan, over objects from files.

What an API server adds is not known here. So only fields that Git names are compared, and an object that agrees in them
counts as in sync.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gitops_workers.core.cluster.kinds import assumed_scopes
from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.desired import desired_objects
from gitops_workers.core.diff.ownership import with_ownership
from gitops_workers.core.diff.secret_values import is_secret
from gitops_workers.core.errors import PruneRefused
from gitops_workers.core.model import Application
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.policy.reserved import refuse_reserved
from gitops_workers.core.prune.candidates import Evidence, candidates, decide
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.sync.hooks import HookPhase, hook, split
from gitops_workers.core.sync.options import Pruned, to_prune
from gitops_workers.core.sync.ordering import Task
from gitops_workers.core.sync.plan import Stage, plan
from gitops_workers.core.text.json_path import NOTHING, Place, at, counterpart
from gitops_workers.core.text.quantities import is_quantity, same_quantity

SYNC = "Sync"
_PLAIN_MAPS = frozenset(
    {"annotations", "labels", "matchLabels", "nodeSelector", "data", "binaryData", "limits", "requests"}
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One task.

    `action`: create, update, none (in sync), run (a hook), prune, confirm (pruned once a human says yes to it), keep
    (left Git and stays), skip (a hook of no phase).
    """

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

    Every live object counts as one that the application manages. Raises RenderFailed and PolicyRefused as a
    sync does.
    """
    parts, kept = split(manifests, app.dialect), split(live, app.dialect).applied
    scopes = assumed_scopes([*manifests, *kept])
    named = desired_objects(app, (*parts.applied, *parts.hooks, *parts.passed_over), scopes)
    refuse_reserved(tuple(item.key for item in named))
    desired = named[: len(parts.applied)]
    hooks = [hook(item) for item in named[len(desired) : len(desired) + len(parts.hooks)]]
    existing = {item.key: item for item in desired_objects(app, kept, scopes)}
    inventory = [InventoryItem(item.key, item.version) for item in existing.values()]
    stale = candidates(inventory, {item.key: item for item in named})
    originals = dict(zip(existing, kept, strict=True))
    evidence = Evidence(0, 0, 0, {item.key: _managed(app, item.key, originals[item.key]) for item in stale})
    doomed = stale if app.sync.prune else ()
    pruning = decide(app, doomed, len(inventory), evidence, wanted=len(desired), consent=True)
    asking = tuple(item.key for item in pruning.deletions if _asks(app, evidence.live[item.key]))
    pruning = replace(pruning, deletions=tuple(item for item in pruning.deletions if item.key not in asking))
    consent = ""
    try:
        decide(app, doomed, len(inventory), evidence, wanted=len(desired), consent=False)
    except PruneRefused as error:
        consent = str(error)
    planned = plan(app, desired, pruning.deletions, hooks=hooks)
    waves = policy_of(app.dialect).order.prune_waves(planned, pruning.deletions)
    needs = "; needs a human's yes" if consent else ""
    found = [each for stage in planned.stages for each in _stage(app, stage, waves, originals, needs)]
    found += [_run(task) for stage in planned.after_failure for task in stage.tasks]
    found += [_kept(key, "no longer in Git, and an annotation keeps it") for key in pruning.kept]
    found += [
        Planned(SYNC, 0, "confirm", key, "no longer in Git; deleted once it is confirmed (Prune=confirm)")
        for key in asking
    ]
    odd = {id(manifest): wrong for manifest, wrong in parts.odd}
    passed = zip(named[len(parts.applied) + len(parts.hooks) :], parts.passed_over, strict=True)
    found += [Planned(SYNC, 0, "skip", item.key, odd[id(manifest)]) for item, manifest in passed if id(manifest) in odd]
    if not app.sync.prune:
        found += [_kept(item.key, "no longer in Git, and prune is off") for item in stale]
    return Preview(tuple(found), consent)


def _asks(app: Application, live: Manifest | None) -> bool:
    """Whether the object itself asks for a confirmation before it is deleted."""
    return live is not None and to_prune(app, live).prune is Pruned.CONFIRMED


def _managed(app: Application, key: ObjectKey, live: Manifest) -> Manifest:
    """A live object as it would look if the application had applied it; files need not have a uid."""
    found = with_ownership(app, key, live)
    return {**found, "metadata": {"uid": "", **found["metadata"]}}


def _stage(
    app: Application, stage: Stage, waves: Mapping[ObjectKey, int], live: Mapping[ObjectKey, Manifest], needs: str
) -> Iterable[Planned]:
    order = policy_of(app.dialect).order
    deletions = [
        Planned(SYNC, waves[item.key], "prune", item.key, f"no longer in Git; {order.prune_place}{needs}")
        for item in stage.deletions
    ]
    applies = [_run(task) if task.hook else _apply(app, task, live.get(task.item.key)) for task in stage.tasks]
    return [*deletions, *applies] if stage.deletes_first else [*applies, *deletions]


def _apply(app: Application, task: Task, live: Manifest | None) -> Planned:
    phase, wave, item, order = task.phase.title, task.wave, task.item, policy_of(app.dialect).order.place(task)
    if live is None:
        return Planned(phase, wave, "create", item.key, f"not in the cluster; {order}")
    place = first_difference(_named(item.manifest), live)
    if place is None:
        return Planned(phase, wave, "none", item.key, f"agrees with the live object; {order}")
    return Planned(phase, wave, "update", item.key, f"differs at {_dotted(place)}; {order}")


def _run(task: Task) -> Planned:
    assert task.hook is not None
    policies = ", ".join(sorted(task.hook.deletions))
    when = "only when the sync has failed; " if task.phase is HookPhase.SYNC_FAIL else ""
    return Planned(task.phase.title, task.wave, "run", task.item.key, f"hook; {when}its object is deleted: {policies}")


def first_difference(desired: Any, live: Any, place: Place = ()) -> Place | None:
    """The first place at which a live value is not what is desired; what only the live side has does not count.

    Nor does what a server drops (null, most of what is empty) or writes in another way (quantities).
    """
    if desired is None or (_empty(desired, place) and (live is NOTHING or live is None)):
        return None
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
    if is_quantity(place) and same_quantity(desired, live):
        return None
    return None if type(desired) is type(live) and desired == live else place


def _empty(desired: Any, place: Place) -> bool:
    """Whether it is one that the server drops. An empty object (`emptyDir: {}`) says something, and is kept."""
    if desired == "":
        return len(place) > 2 and place[-3] == "env"
    return desired == [] or (desired == {} and bool(place) and place[-1] in _PLAIN_MAPS)


def _named(manifest: Manifest) -> Manifest:
    """Without our own marks: live objects of another engine do not have them, and that alone is no news.

    A Secret's `stringData` stands in its `data`, as the server puts it there.
    """
    metadata = dict(manifest["metadata"])
    for field in ("labels", "annotations"):
        marks = {name: value for name, value in (metadata.get(field) or {}).items() if not _is_mark(name)}
        metadata.pop(field, None)
        if marks:
            metadata[field] = marks
    named = {**manifest, "metadata": metadata}
    if is_secret(manifest) and isinstance(text := named.pop("stringData", None), dict):
        encoded = {name: base64.b64encode(str(value).encode()).decode() for name, value in text.items()}
        named["data"] = {**(named.get("data") or {}), **encoded}
    return named


def _is_mark(name: str) -> bool:
    return name.startswith(("applyset.kubernetes.io/", "kustomize.toolkit.fluxcd.io/n")) or name.endswith("tracking-id")


def _kept(key: ObjectKey, why: str) -> Planned:
    return Planned(SYNC, 0, "keep", key, why)


def _dotted(place: Place) -> str:
    """`spec.containers[0].image`, `metadata.labels['a.b/c']`."""
    parts = [f".{part}" if str(part).isidentifier() else f"[{part!r}]" for part in place]
    return "".join(parts).lstrip(".") or "the top"
