"""How far a promotion is: the parts of GitOps Promoter's rules that compare commits and count commit statuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_workers.core.health.fields import items, text
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_SHORT = 7
"""Digits of a commit that people are shown."""


def _phase(environment: dict[str, Any]) -> str:
    """What is neither a failure nor a success is waited for."""
    phase = text(environment, "phase")
    return phase if phase in ("failure", "success") else "pending"


def environments_of(what: str, done: str, whole: str = "") -> Callable[[Manifest], Health]:
    """A gate: failed branches, then waiting ones, else it is `done` for all environments; `whole` where it has none."""

    def decide(obj: Manifest) -> Health:
        environments = items(obj, "status.environments")
        for phase, status, verb in (
            ("failure", HealthStatus.DEGRADED, "failed"),
            ("pending", HealthStatus.PROGRESSING, "pending"),
        ):
            branches = [text(item, "branch", "?") for item in environments if _phase(item) == phase]
            if branches:
                return Health(status, f"{what} {verb} for branch(es): {', '.join(branches)}")
        if not environments:
            return Health(HealthStatus.HEALTHY, f"{whole or what} reconciled")
        return Health(HealthStatus.HEALTHY, f"{what} {done} for {len(environments)} environment(s)")

    return decide


def transfer(obj: Manifest) -> Health:
    """One environment's ChangeTransferPolicy."""
    status = obj["status"]
    for side in ("active", "proposed"):
        if not text(status, f"{side}.dry.sha"):
            return Health(HealthStatus.PROGRESSING, f"The {side} commit DRY SHA is missing or empty.")
    active, proposed = text(status, "active.dry.sha"), text(status, "proposed.dry.sha")
    if active != proposed:
        message = f"Promotion in progress from '{active[:_SHORT]}' to '{proposed[:_SHORT]}'"
        return _promoting(message, status, "")
    return _landed("Environment is up-to-date", status) or Health(
        HealthStatus.HEALTHY, f"Environment is up-to-date on commit {active[:_SHORT]}."
    )


def strategy(obj: Manifest) -> Health:
    """All environments of a PromotionStrategy."""
    environments = items(obj, "status.environments")
    if not environments:
        return Health(HealthStatus.DEGRADED, "Promotion strategy has no environments configured")
    for item in environments:
        for side in ("active", "proposed"):
            if not text(item, f"{side}.dry.sha"):
                message = f"The {side} commit DRY SHA is missing or empty in environment '{text(item, 'branch')}'."
                return Health(HealthStatus.PROGRESSING, message)
    # The note of the hydrator is newer than the commit it stands on: it moves although nothing was changed.
    hydrated = {text(item, "proposed.note.drySha") or text(item, "proposed.dry.sha") for item in environments}
    if len(hydrated) > 1:
        message = "Not all environments have the same proposed commit SHA."
        why = "This likely means the hydrator has not run for all environments yet."
        return Health(HealthStatus.PROGRESSING, f"{message} {why}")
    seen = f"Hydrator has processed dry commit '{hydrated.pop()[:_SHORT]}'."
    for item in environments:
        active, proposed = text(item, "active.dry.sha")[:_SHORT], text(item, "proposed.dry.sha")[:_SHORT]
        branch = text(item, "branch")
        if text(item, "active.dry.sha") != text(item, "proposed.dry.sha"):
            message = f"Promotion in progress for environment '{branch}' from '{active}' to '{proposed}'"
            return _promoting(message, item, f"{seen} ")
        found = _landed(f"Environment '{branch}' is up-to-date", item)
        if found is not None:
            return found
    commit = text(environments[0], "active.dry.sha")[:_SHORT]
    return Health(HealthStatus.HEALTHY, f"All environments are up-to-date on commit '{commit}'. {seen}")


def _promoting(message: str, where: dict[str, Any], end: str) -> Health:
    counts, pending, failed = _counts(where, "proposed")
    status = HealthStatus.DEGRADED if failed and not pending else HealthStatus.PROGRESSING
    return Health(status, f"{message}: {counts}{end}")


def _landed(message: str, where: dict[str, Any]) -> Health | None:
    counts, pending, failed = _counts(where, "active")
    if not pending and not failed:
        return None
    status = HealthStatus.PROGRESSING if pending else HealthStatus.DEGRADED
    return Health(status, f"{message}, but there are non-successful active commit statuses: {counts}")


def _counts(where: dict[str, Any], side: str) -> tuple[str, list[str], list[str]]:
    found = items(where, f"{side}.commitStatuses")
    named = {
        phase: [text(item, "key") for item in found if text(item, "phase") == phase]
        for phase in ("pending", "success", "failure")
    }
    pending, failed = named["pending"], named["failure"]
    message = f"{len(pending)} pending, {len(named['success'])} successful, {len(failed)} failed. "
    if pending:
        message += f"Pending commit statuses: {', '.join(pending)}. "
    if failed:
        message += f"Failed commit statuses: {', '.join(failed)}. "
    return message, pending, failed
