"""What one attempt found out and nothing else keeps: the document behind `app explain`.

An attempt stores it when it found anything else than the one before, so a quiet look writes nothing. It is kept small:
whatever the status, the operation or the object rows say is read from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitops_workers.core.prune.candidates import Pruning
from gitops_workers.core.sync.plan import Plan
from gitops_workers.core.text.plural import amount

LISTED = 20
CHARACTERS = 1500
"""So many entries of a list are kept, and so many characters of them: the document stays below 4 KiB."""

FAILED_AT = {
    "SourceUnavailable": "Revision",
    "HostUnavailable": "Revision",
    "RenderFailed": "Render",
    "UnsafeContent": "Render",
    "PolicyRefused": "Policy",
    "PruneRefused": "Prune",
    "ApplyRefused": "Comparison",
    "ClusterUnavailable": "Comparison",
    "ServerFailed": "Comparison",
    "Throttled": "Comparison",
    "Incomplete": "Comparison",
}
"""The stage that an error comes from, where its class says so."""


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """Digests are of inputs and render; `changes` counts all changed inputs, -1 when they cannot be told."""

    at: float = 0.0
    reasons: tuple[str, ...] = ()
    commit: str = ""
    ref: str = ""
    newer: str = ""
    """A newer commit that waits for the running operation."""
    inputs: str = ""
    files: int = 0
    whole: bool = False
    inputs_before: str = ""
    commit_before: str = ""
    changed: tuple[str, ...] = ()
    changes: int = 0
    rendered: str = ""
    cached: bool = False
    objects: int = 0
    prune: str = ""
    stages: tuple[str, ...] = ()
    stages_in_all: int = 0
    failed: str = ""
    """The stage that failed, "" when none did or the error does not say."""


def changed_inputs(before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]) -> list[str]:
    """What changed between two closures of (path, content): `+ new`, `- gone`, `~ changed`, by path.

    >>> changed_inputs([("a", "1"), ("b", "1")], [("b", "2"), ("c", "1")])
    ['- a', '~ b', '+ c']
    """
    old, new = dict(before), dict(after)
    marks = {path: "+" if path not in old else "-" if path not in new else "~" for path in {*old, *new}}
    return [f"{marks[path]} {path}" for path in sorted(marks) if old.get(path) != new.get(path)]


def cut(lines: Iterable[str]) -> tuple[str, ...]:
    """The first lines, as many as are kept."""
    kept: list[str] = []
    room = CHARACTERS
    for line in lines:
        room -= len(line)
        if len(kept) == LISTED or room < 0:
            break
        kept.append(line)
    return tuple(kept)


def stages_of(plan: Plan, *, failing: bool) -> list[str]:
    """Each stage in words: `wave 1: 3 objects, 1 deletes`."""
    return [
        f"{stage.name}: "
        + ", ".join(
            amount(len(part), what)
            for part, what in (
                (stage.objects, "object"),
                (stage.hooks, "hook"),
                (stage.deletions, "delete"),
            )
            if part
        )
        for stage in plan.of(failing=failing)
    ]


def prune_of(stale: int, pruning: Pruning | None, *, allowed: bool) -> str:
    """What was decided about that which left Git."""
    if not stale:
        return "nothing left Git"
    if not allowed:
        return f"{amount(stale, 'object')} left Git, kept: prune is off"
    if pruning is None:
        return f"{amount(stale, 'object')} left Git; nothing is decided while nothing is synced"
    parts = [
        f"{len(part)} {what}"
        for part, what in (
            (pruning.deletions, "to delete"),
            (pruning.gone, "gone already"),
            (pruning.kept, "kept on request"),
            (pruning.awaiting_confirmation, "waiting for a confirmation"),
            (pruning.not_owned, "left alone because they belong to somebody else now"),
        )
        if part
    ]
    return f"{amount(stale, 'object')} left Git: {', '.join(parts) or 'none of them is for us to delete'}"
