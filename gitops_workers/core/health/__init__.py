"""Health: what an object's live state says, and what an application's objects say together.

Each dialect keeps its own rules and words: Argo CD's (`argocd`, with all its built-in rules as data) and kstatus as
Flux runs it (`kstatus`). Only rules over values live here: no reading, no waiting, no user scripts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitops_workers.core.health import argocd, kstatus
from gitops_workers.core.health.argocd import rule_health
from gitops_workers.core.health.rules import number, read
from gitops_workers.core.model import Dialect, Health, HealthStatus
from gitops_workers.core.objects import Manifest, ObjectKey, key_of

__all__ = ["Member", "aggregate", "failed", "health_of", "member", "rule_health", "settled"]

IGNORE = "argocd.argoproj.io/ignore-healthcheck"
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
    return argocd.health(manifest) if rules is Dialect.ARGOCD else kstatus.health(manifest, now)


def member(desired: Manifest, live: Manifest | None, rules: Dialect, *, now: float | None = None) -> Member:
    """The object as it counts in `aggregate`: absent if it is not live, ignored if its annotation says so.

    Flux: a Job that cleans up after itself and is gone counts as done.
    """
    key = key_of(desired)
    found = live if live is not None else desired
    ignored = rules is Dialect.ARGOCD and read(found, f"metadata.annotations.'{IGNORE}'") == "true"
    if live is not None:
        return Member(key, health_of(live, rules, now=now), ignored=ignored)
    if rules is Dialect.ARGOCD:
        return Member(key, Health(HealthStatus.MISSING), absent=True, ignored=ignored)
    cleans_up = key.group_kind == ("batch", "Job") and number(desired, "spec.ttlSecondsAfterFinished", -1) >= 0
    return Member(key, Health(HealthStatus.NOT_FOUND, "Resource not found"), absent=True, ignored=cleans_up)


def aggregate(dialect: Dialect, members: Iterable[Member]) -> Health:
    """The application's health, with the message of the object that decided.

    Argo CD: the worst of the managed objects; an absent one does not count unless all are absent, for which those that
    are ignored count, too (argo-cd controller/health.go); a child Application
    that is Missing or Unknown never does. Hooks and the application itself are not to be passed. Flux: Failed, Unknown,
    Current if all are, else InProgress.
    """
    found = list(members)
    counted = [each for each in found if not each.ignored]
    if dialect is not Dialect.ARGOCD:
        return _combined(counted)
    if found and all(each.absent for each in found):
        return Health(HealthStatus.MISSING, "none of the objects exists")
    return _worst(counted)


def settled(dialect: Dialect, health: Health | None) -> bool:
    """Nothing more to wait for: Healthy, Current, or a kind that has no health."""
    good = HealthStatus.HEALTHY if dialect is Dialect.ARGOCD else HealthStatus.CURRENT
    return health is None or health.status is good


def failed(dialect: Dialect, health: Health | None) -> bool:
    """Waiting will not help: Degraded, Failed."""
    bad = HealthStatus.DEGRADED if dialect is Dialect.ARGOCD else HealthStatus.FAILED
    return health is not None and health.status is bad


def _worst(members: list[Member]) -> Health:
    worst, order = Health(HealthStatus.HEALTHY), argocd.ORDER
    for each in members:
        child = each.key.group_kind == _APPLICATION and each.health is not None and each.health.status in _UNHEARD
        if each.absent or child or each.health is None:
            continue
        if order.index(each.health.status) > order.index(worst.status):
            worst = _of(each)
    return worst


def _combined(members: list[Member]) -> Health:
    for status in (HealthStatus.FAILED, HealthStatus.UNKNOWN):
        for each in members:
            if each.health is not None and each.health.status is status:
                return _of(each)
    for each in members:
        if not settled(Dialect.FLUX, each.health):
            return Health(HealthStatus.IN_PROGRESS, _of(each).message)
    return Health(HealthStatus.CURRENT)


def _of(member: Member) -> Health:
    health = member.health or Health(HealthStatus.UNKNOWN)
    said = health.message or health.status.value
    return Health(health.status, f"{member.key}: {said}")
