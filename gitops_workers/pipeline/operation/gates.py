"""Gates between the stages of an operation: what is still waited for, and what has failed."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_workers.core.health import failed, settled
from gitops_workers.core.model import Application, Health, HealthStatus
from gitops_workers.core.objects import ObjectKey, group_of
from gitops_workers.core.sync.plan import Gate, Stage
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile.object_state import ObjectState
from gitops_workers.pipeline.reconcile.observation import Observation

DEFINITIONS = frozenset({"CustomResourceDefinition", "Namespace"})
"""Kinds that a gate `SERVED` waits for: what comes next needs them to be there, not to be healthy otherwise."""


def gate(
    context: Context, observation: Observation, stage: Stage, states: Mapping[ObjectKey, ObjectState]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what is still waited for, what has failed) before the next stage may start."""
    pending = tuple(states[key].pending for key in sorted(stage.keys) if states[key].pending)
    if pending or stage.gate is Gate.OPEN:
        return pending, ()
    keys = stage.keys
    if stage.gate is Gate.SERVED:
        keys = frozenset(key for key in keys if key.kind in DEFINITIONS)
    found = {key: states[key].health for key in keys}
    if named(observation.app):
        found = _named_checks(context, observation, states)
    rules = observation.app.dialect
    broken = tuple(
        f"{key} is {health.status}: {health.message}"
        for key, health in found.items()
        if health and failed(rules, health)
    )
    blocked = tuple(str(key) for key, health in sorted(found.items()) if not settled(rules, health))
    return blocked, broken


def named(app: Application) -> bool:
    """Whether the application names what is waited for, ours or not (Flux healthChecks without wait)."""
    return bool(app.sync.health_checks) and not app.sync.wait


def _named_checks(
    context: Context, observation: Observation, states: Mapping[ObjectKey, ObjectState]
) -> dict[ObjectKey, Health | None]:
    """Flux healthChecks: objects by name, ours or not."""
    found: dict[ObjectKey, Health | None] = {}
    for api_version, kind, namespace, name in observation.app.sync.health_checks:
        key = ObjectKey(group_of(api_version), kind, namespace, name)
        if key in states and not states[key].compared.left_alone:
            found[key] = states[key].health
        else:
            live = observation.cluster.get(key, api_version.rpartition("/")[2])
            found[key] = context.rules.health(observation.app, live) if live else Health(HealthStatus.NOT_FOUND)
    return found
