"""Health: what an object's live state says, and what an application's objects say together.

Each dialect keeps its own rules and words: Argo CD's (`argocd`, with all its built-in rules as data) and kstatus as
Flux runs it (`kstatus`). Only rules over values live here: no reading, no waiting, no user scripts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.health import argocd
from gitops_workers.core.health.argocd import rule_health
from gitops_workers.core.model import Dialect, Health, HealthStatus
from gitops_workers.core.objects import Manifest, ObjectKey, key_of

__all__ = [
    "Member",
    "aggregate",
    "failed",
    "health_of",
    "member",
    "ready_or_not",
    "rule_health",
    "settled",
    "worst",
]

_APPLICATION = ("argoproj.io", "Application")
_UNHEARD = (HealthStatus.MISSING, HealthStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Member:
    """One managed object in the sum. `health` None: its kind has none. `ignored`: it does not count at all."""

    key: ObjectKey
    health: Health | None
    absent: bool = False
    ignored: bool = False


def health_of(manifest: Manifest, rules: Dialect, *, now: float | None = None) -> Health | None:
    """The health of a live object by the dialect's rules.

    None: Argo CD has no rule for the kind (kstatus has an answer for all). `now`, seconds since 1970, lets kstatus see
    that a pod cannot be scheduled for too long.
    """
    return policy_of(rules).health.of(manifest, now)


def member(desired: Manifest, live: Manifest | None, rules: Dialect, *, now: float | None = None) -> Member:
    """The object as it counts in `aggregate`: absent if it is not live, ignored if its annotation says so."""
    key, policy = key_of(desired), policy_of(rules).health
    if live is None:
        return policy.absent(key, desired)
    return Member(key, policy.of(live, now), ignored=policy.ignored(live))


def aggregate(dialect: Dialect, members: Iterable[Member]) -> Health:
    """The application's health, with the message of the object that decided.

    Hooks and the application itself are not to be passed.
    """
    return policy_of(dialect).health.aggregated(list(members))


def settled(dialect: Dialect, health: Health | None) -> bool:
    """Nothing more to wait for: Healthy, Current, or a kind that has no health."""
    return health is None or health.status is policy_of(dialect).health.healthy


def failed(dialect: Dialect, health: Health | None) -> bool:
    """Waiting will not help: Degraded, Failed."""
    return health is not None and health.status is policy_of(dialect).health.failed


def worst(members: list[Member]) -> Health:
    """Argo CD's sum: the worst of the objects (argo-cd controller/health.go).

    An absent one does not count unless all are absent, for which those that are ignored count, too. A child Application
    that is Missing or Unknown never does.
    """
    if members and all(each.absent for each in members):
        return Health(HealthStatus.MISSING, "none of the objects exists")
    found, order = Health(HealthStatus.HEALTHY), argocd.ORDER
    for each in members:
        child = each.key.group_kind == _APPLICATION and each.health is not None and each.health.status in _UNHEARD
        if each.ignored or each.absent or child or each.health is None:
            continue
        if order.index(each.health.status) > order.index(found.status):
            found = _of(each)
    return found


def ready_or_not(members: list[Member]) -> Health:
    """Flux' sum: Failed or Unknown where an object is, Current if all are, else InProgress."""
    counted = [each for each in members if not each.ignored]
    for status in (HealthStatus.FAILED, HealthStatus.UNKNOWN):
        for each in counted:
            if each.health is not None and each.health.status is status:
                return _of(each)
    for each in counted:
        if each.health is not None and each.health.status is not HealthStatus.CURRENT:
            return Health(HealthStatus.IN_PROGRESS, _of(each).message)
    return Health(HealthStatus.CURRENT)


def _of(member: Member) -> Health:
    health = member.health or Health(HealthStatus.UNKNOWN)
    said = health.message or health.status.value
    return Health(health.status, f"{member.key}: {said}")
