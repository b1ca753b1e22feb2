"""Which settings the workers of an installation read, by their heartbeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.telemetry.presence import ABSENT_SECONDS, WORKER, Presence


@dataclass(frozen=True, slots=True)
class Heard:
    """What the heartbeats of a moment tell about settings. The default is what nobody's heartbeat tells: nothing."""

    digests: frozenset[str] = frozenset()
    """Those that somebody reads, or read a moment ago: a worker that is restarted comes back with the same files."""
    complete: bool = False
    """False where a live worker tells none: it is of an older release or could never read its files."""


def heard(presence: Presence) -> Heard:
    """What the workers read at this moment."""
    told = (digest for (_, digest), at in presence.readings.items() if presence.now - at <= ABSENT_SECONDS)
    return Heard(frozenset(told), all(presence.reading(worker) for worker in presence.alive(WORKER)))


def strangers(presence: Presence, in_force: str) -> Sequence[str]:
    """A sentence for each live worker that reads other settings than those in force."""
    found = ((worker.name, presence.reading(worker)) for worker in presence.alive(WORKER))
    return tuple(
        f"worker {name} reads settings {own}, and {in_force} are in force: it leaves Argo CD applications to other "
        "workers; if this lasts over 2 min, bring argocd-cm in its GITOPS_SECRETS and GITOPS_CATALOGUE up to date "
        "(a ConfigMap mounted by subPath is read anew only after a restart of the pod)"
        for name, own in found
        if own not in ("", in_force)
    )
