"""From comparison and prune decision to ordered stages.

A stage is what one short task does: its writes, in order, and then the gate that must open before the next stage. The
plan is derived anew at each step from the same commit, so almost nothing of it needs to be stored: what an earlier step
has written compares as in sync and falls out of the stage it stood in, and the stage numbers stay. Deletes are gone in
the next step, so the waves that they had at the beginning are an argument: their stages stay where they were.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.desired import Desired
from gitops_workers.core.model import Application, Dialect
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.ordering import argocd_order, argocd_rank, flux_rank, flux_stage, mirrored
from gitops_workers.core.prune import Deletion


class Gate(enum.StrEnum):
    """What must hold before the next stage starts."""

    OPEN = "open"
    SERVED = "served"
    """Its CRDs are established and its namespaces active: without that the next stage cannot be applied at all."""
    HEALTHY = "healthy"
    """Every object of the stage is healthy (Argo CD between waves, Flux after its first stages)."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: deletes and applies in order. `name` is for people: `wave 1`, `definitions`."""

    name: str
    objects: tuple[Desired, ...]
    deletions: tuple[Deletion, ...] = ()
    gate: Gate = Gate.OPEN
    deletes_first: bool = False

    @property
    def keys(self) -> frozenset[ObjectKey]:
        """What the gate watches."""
        return frozenset(item.key for item in self.objects)


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages, first to last. Never empty of stages that still hold a gate."""

    stages: tuple[Stage, ...]


def plan(
    app: Application, desired: Sequence[Desired], deletions: Sequence[Deletion], waves: Sequence[int] = ()
) -> Plan:
    """The stages in the order of the application's dialect. `waves`: of the deletes that the operation began with."""
    if app.dialect is Dialect.FLUX:
        stages = _flux_stages(desired, deletions)
    else:
        stages = _argocd_stages(desired, deletions, waves)
    return Plan(tuple(_gated(app, stages)))


def _argocd_stages(desired: Sequence[Desired], deletions: Sequence[Deletion], pruned: Sequence[int]) -> list[Stage]:
    """One stage per wave, and inside the first wave that needs it a stage of its own for CRDs and namespaces."""
    order = argocd_order(desired)
    turned = mirrored({*pruned, *(item.wave for item in deletions)})
    waves = sorted({wave for wave, _ in order} | set(turned.values()))
    stages: list[Stage] = []
    for wave in waves:
        objects = [item for at, item in order if at == wave]
        doomed = sorted(
            (item for item in deletions if turned[item.wave] == wave), key=lambda item: argocd_rank(item.key)
        )
        definitions = tuple(item for item in objects if item.key.kind == "CustomResourceDefinition")
        rest = tuple(item for item in objects if item not in definitions)
        if definitions and rest:
            stages.append(Stage(f"wave {wave}, definitions", definitions, gate=Gate.SERVED))
            objects = list(rest)
        stages.append(Stage(f"wave {wave}", tuple(objects), tuple(doomed), Gate.HEALTHY, deletes_first=True))
    return stages


def _flux_stages(desired: Sequence[Desired], deletions: Sequence[Deletion]) -> list[Stage]:
    stages = []
    for number, name in enumerate(("definitions", "classes", "objects")):
        objects = sorted(
            (item for item in desired if flux_stage(item.key) == number), key=lambda item: flux_rank(item.key)
        )
        if objects:
            stages.append(Stage(name, tuple(objects), gate=Gate.HEALTHY))
    doomed = sorted(deletions, key=lambda item: flux_rank(item.key), reverse=True)
    if doomed:
        last = stages.pop() if stages else Stage("objects", ())
        stages.append(Stage(last.name, last.objects, tuple(doomed), last.gate))
    return stages


def _gated(app: Application, stages: list[Stage]) -> list[Stage]:
    """The last stage waits only when the application asks for it: Argo CD ends a sync without waiting for health."""
    if not stages:
        return []
    last = stages[-1]
    waits = app.sync.wait or bool(app.sync.health_checks)
    gate = Gate.HEALTHY if waits else Gate.OPEN
    return [
        *stages[:-1],
        Stage(last.name, last.objects, last.deletions, gate, last.deletes_first),
    ]
