"""From comparison and prune decision to ordered stages.

A stage is what one short task does: its writes, in order, and then the gate that must open before the next stage. The
plan is derived anew at each step from the same commit, so almost nothing of it needs to be stored: what an earlier step
has written compares as in sync and falls out of the stage it stood in, and the stage numbers stay. Deletes are gone in
the next step, so the waves that they had at the beginning are an argument: their stages stay where they were.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff.desired import CRD, Desired
from gitops_workers.core.model import Application
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Deletion
from gitops_workers.core.sync.hooks import Hook, HookPhase
from gitops_workers.core.sync.ordering import (
    Task,
    argocd_order,
    argocd_rank,
    flux_rank,
    flux_stage,
    prune_waves,
    wave_of,
)

FLUX_STAGES = ("definitions", "classes", "objects")
"""Names of the stages, by their number (`ordering.flux_stage`)."""


class Gate(enum.StrEnum):
    """What must hold before the next stage starts."""

    OPEN = "open"
    SERVED = "served"
    """Its CRDs are established and its namespaces active: without that the next stage cannot be applied at all."""
    HEALTHY = "healthy"
    """Every object of the stage is healthy (Argo CD between waves, Flux after its first stages)."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: deletes, applies and hook runs in order. `name` is for people: `wave 1`, `PreSync wave 0`."""

    name: str
    tasks: tuple[Task, ...]
    deletions: tuple[Deletion, ...] = ()
    awaited: tuple[Deletion, ...] = ()
    """Objects whose end the next stage waits for: of these deletes, and of those that an earlier step has made."""
    gate: Gate = Gate.OPEN
    """For the objects; hooks are waited for in any case."""
    deletes_first: bool = False
    also: tuple[Desired, ...] = ()
    """Objects of the stage before, which belongs to the same wave: the gate is about them, too."""

    @property
    def objects(self) -> tuple[Desired, ...]:
        """What is applied and kept."""
        return tuple(task.item for task in self.tasks if task.hook is None)

    @property
    def hooks(self) -> tuple[Task, ...]:
        """What is run."""
        return tuple(task for task in self.tasks if task.hook is not None)

    @property
    def defines(self) -> bool:
        """Whether the cluster may serve other kinds after it."""
        return any(_defines(task) for task in self.tasks)

    @property
    def keys(self) -> frozenset[ObjectKey]:
        """What the gate watches."""
        return frozenset(item.key for item in (*self.also, *self.objects))


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages, first to last. Never empty of stages that still hold a gate."""

    stages: tuple[Stage, ...]
    after_failure: tuple[Stage, ...] = ()
    """What runs instead of the rest when something has failed: SyncFail hooks."""

    def of(self, *, failing: bool) -> tuple[Stage, ...]:
        """The stages of an operation that goes well, or of one that has failed and is cleaning up."""
        return self.after_failure if failing else self.stages

    @property
    def hooks(self) -> tuple[Task, ...]:
        """Every hook run, first to last."""
        return tuple(task for stage in (*self.stages, *self.after_failure) for task in stage.hooks)


def plan(
    app: Application,
    desired: Sequence[Desired],
    deletions: Sequence[Deletion],
    waves: Sequence[int] = (),
    hooks: Sequence[Hook] = (),
    leaving: Sequence[Deletion] = (),
) -> Plan:
    """The stages in the order of the application's dialect. `waves`: of the deletes that the operation began with.

    `leaving`: what is being deleted already. Objects of other waves than these were no delete of this operation.
    """
    stages = policy_of(app.dialect).order.stages(desired, deletions, waves, hooks, leaving)
    return Plan(tuple(_gated(app, stages)), hook_stages(hooks, HookPhase.SYNC_FAIL))


def argocd_stages(
    desired: Sequence[Desired],
    deletions: Sequence[Deletion],
    pruned: Sequence[int],
    hooks: Sequence[Hook],
    leaving: Sequence[Deletion],
) -> list[Stage]:
    """One stage per phase and wave, or two: all after the wave's last CRD waits until its kind is served."""
    together: dict[tuple[HookPhase, int], list[Task]] = defaultdict(list)
    for task in argocd_order(desired, hooks):
        together[task.place].append(task)
    applied = (wave for phase, wave in together if phase is HookPhase.SYNC)
    turned = prune_waves({*pruned, *(item.turn for item in deletions)}, applied)
    doomed: dict[int, list[Deletion]] = defaultdict(list)
    for item in sorted(deletions, key=lambda item: argocd_rank(item.key)):
        doomed[turned[item.turn]].append(item)
    going: dict[int, list[Deletion]] = defaultdict(list)
    for item in leaving:
        if item.turn in turned:
            going[turned[item.turn]].append(item)
    stages: list[Stage] = []
    for phase, wave in sorted({*together, *((HookPhase.SYNC, wave) for wave in turned.values())}):
        tasks = together.get((phase, wave), [])
        syncs = phase is HookPhase.SYNC
        name = f"wave {wave}" if syncs else f"{phase.title} wave {wave}"
        deletes = tuple(doomed.get(wave, ())) if syncs else ()
        awaited = (*deletes, *going.get(wave, ())) if syncs else ()
        ahead, rest = _served_first(tasks)
        if ahead:
            served = Stage(f"{name}, definitions", ahead, deletes, gate=Gate.SERVED, deletes_first=True)
            stages.append(served)
            stages.append(Stage(name, rest, (), awaited, Gate.HEALTHY, deletes_first=True, also=served.objects))
        else:
            stages.append(Stage(name, rest, deletes, awaited, Gate.HEALTHY, deletes_first=True))
    return stages


def _served_first(tasks: Sequence[Task]) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """The objects up to the last CRD, and what comes after them; nothing and all where nothing does."""
    last = max((number for number, task in enumerate(tasks) if _defines(task)), default=-1)
    ahead = tuple(task for task in tasks[: last + 1] if task.hook is None)
    rest = tuple(task for number, task in enumerate(tasks) if number > last or task.hook is not None)
    return (ahead, rest) if ahead and rest else ((), tuple(tasks))


def _defines(task: Task) -> bool:
    return task.hook is None and task.item.key.kind == CRD.kind


def hook_stages(hooks: Sequence[Hook], phase: HookPhase) -> tuple[Stage, ...]:
    """One stage per wave of the hooks of a phase in which no objects are applied."""
    tasks = sorted(
        (Task(phase, wave_of(hook.item.manifest), hook.item, hook) for hook in hooks if phase in hook.phases),
        key=lambda task: (task.wave, argocd_rank(task.item.key)),
    )
    waves = sorted({task.wave for task in tasks})
    return tuple(
        Stage(f"{phase.title} wave {wave}", tuple(task for task in tasks if task.wave == wave)) for wave in waves
    )


def flux_stages(
    desired: Sequence[Desired],
    deletions: Sequence[Deletion],
    _pruned: Sequence[int] = (),
    _hooks: Sequence[Hook] = (),
    _leaving: Sequence[Deletion] = (),
) -> list[Stage]:
    """Up to three stages of applies, and all deletes after the last. It has no waves that a delete could move."""
    stages = []
    for number, name in enumerate(FLUX_STAGES):
        objects = sorted(
            (item for item in desired if flux_stage(item.key) == number), key=lambda item: flux_rank(item.key)
        )
        if objects:
            tasks = tuple(Task(HookPhase.SYNC, number, item) for item in objects)
            stages.append(Stage(name, tasks, gate=Gate.HEALTHY))
    doomed = sorted(deletions, key=lambda item: flux_rank(item.key), reverse=True)
    if doomed:
        last = stages.pop() if stages else Stage("objects", ())
        stages.append(replace(last, deletions=tuple(doomed)))
    return stages


def _gated(app: Application, stages: list[Stage]) -> list[Stage]:
    """The last stage waits for its objects only when the application asks for it, or for hooks among several stages.

    Argo CD ends a sync without waiting for health once nothing but objects of the last wave is left. Nor does anything
    wait for the end of what the last stage deletes.
    """
    if not stages:
        return []
    last = stages[-1]
    waits = app.sync.wait or bool(app.sync.health_checks) or (len(stages) > 1 and bool(last.hooks))
    return [*stages[:-1], replace(last, gate=Gate.HEALTHY if waits else Gate.OPEN, awaited=())]
