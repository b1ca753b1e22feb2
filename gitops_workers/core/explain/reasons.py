"""Why nothing happens now, when the next look is due, and what makes it earlier: one sentence each."""

from __future__ import annotations

from gitops_workers.core.explain.explanation import NAMED, Explanation, Known, leaving_of, sections
from gitops_workers.core.model import HealthStatus, SyncStatus
from gitops_workers.core.prune.deletion import DELETION_HELD
from gitops_workers.core.text.timefmt import since

WELL = frozenset({HealthStatus.HEALTHY, HealthStatus.CURRENT, HealthStatus.SUSPENDED})


def explain(known: Known) -> Explanation:
    """The whole answer."""
    message, at = next_look(known)
    return Explanation(known.status.id, why(known), message, at, earlier(known), sections(known))


def why(known: Known) -> str:
    """The first reason that holds, from what stops everything to what is as it should be."""
    status, operation = known.status, known.operation
    name = status.id
    own = known.dues[0] if known.dues else None
    if status.suspended:
        by = f" by {known.suspended_by}" if known.suspended_by else " by its manifest"
        return f"It is suspended{by}: run `gitops-workers app resume {name}`."
    if known.app is not None and known.app.refusal and leaving_of(known) is None:
        return f"Its manifest uses what this version does not support, so nothing is synced: {known.app.refusal}"
    if own is not None and own.state == "running":
        return "A worker is at it right now."
    if known.cluster is not None and known.cluster.reachable is False:
        return (
            f"Cluster {known.cluster.name} does not answer, and is asked once a minute until it does: "
            f"{known.cluster.message}"
        )
    if own is not None and (own.state == "queued" or (own.at is not None and own.at <= known.now)):
        return "It is due and waits for a free worker: see `gitops-workers cluster list` for what is in work."
    if deletion := _deletion(known):
        return deletion
    if not status.last_checked_at:
        return "Nobody has looked at it yet."
    if operation is not None and operation.running and operation.waiting_for:
        first, more = operation.waiting_for[0], len(operation.waiting_for) - 1
        rest = f" and {more} more" if more else ""
        return f"Its operation waits for {first}{rest} since {since(operation.shut_at, known.now)}."
    if known.waits:
        return status.message
    if (known.facts is not None and known.facts.failed) or status.sync is SyncStatus.UNKNOWN:
        times = f" ({operation.failures} times in a row)" if operation is not None and operation.failures > 1 else ""
        return f"The last attempt failed{times}: {status.message}"
    if status.sync is not SyncStatus.SYNCED:
        return status.message or "It is not in sync, and the next look decides."
    if status.health not in WELL:
        about = status.health_message or "`gitops-workers app get` names the objects"
        return f"It is in sync, and what is {status.health.value} is only looked at: {about}."
    return f"Nothing is to be done: the cluster agrees with {status.ref or 'Git'} at {status.revision[:12]}."


def _deletion(known: Known) -> str:
    """How its deletion stands; "" where nobody deletes it."""
    if leaving_of(known) is not None:
        return known.status.message or "Its manifest is gone, and its objects are about to go."
    return next((item.message for item in known.status.conditions if item.type == DELETION_HELD), "")


def next_look(known: Known) -> tuple[str, float | None]:
    """In words, and when; None where nothing is planned."""
    planned = sorted((due.at, due.what or _own(known)) for due in known.dues if due.at is not None)
    if any(due.state != "idle" for due in known.dues[:1]):
        return "now", known.now
    if not planned:
        return "nothing is planned", None
    at, what = planned[0]
    return f"{since(at, known.now) if at > known.now else 'now'}: {what}", at


def _own(known: Known) -> str:
    """What the application itself is due for."""
    operation = known.operation
    if leaving_of(known) is not None:
        return "its deletion goes on"
    if operation is not None and operation.running:
        return "another look at what its operation waits for"
    if operation is not None and operation.heal_at:
        return "the next heal"
    if operation is not None and operation.failures:
        return "the next try"
    return "its health is looked at again" if known.status.sync is SyncStatus.SYNCED else "another look"


def earlier(known: Known) -> tuple[str, ...]:
    """What rings before that."""
    name = known.status.id
    if known.status.suspended:
        return (f"`gitops-workers app resume {name}`", "a change of its manifest")
    if leaving_of(known) is not None:
        return (f"`gitops-workers app delete {name}`", "its manifest coming back")
    ready = (f"{other} becoming ready" for other in sorted(known.waits)[:NAMED])
    return (
        "a push to its repository (webhook)",
        f"`gitops-workers app sync {name}`",
        "a change of its manifest",
        *ready,
    )
