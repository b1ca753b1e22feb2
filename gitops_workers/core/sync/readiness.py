"""Whether what depends on an application may go on (flux.md 1.2, dependsOn).

Flux asks for Ready=True, and for the same revision where both read the same source. A reason never quotes what the
dependency says of itself: it is shown to people who may not be allowed to see the dependency.
"""

from __future__ import annotations

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.health import settled
from gitops_workers.core.model import Application, Health, Phase, SyncStatus
from gitops_workers.core.status.rows import Status

_BUSY = (Phase.RUNNING, Phase.TERMINATING)
_BAD = (Phase.FAILED, Phase.ERROR)


def unready(app: Application, status: Status) -> str:
    """Why one has to wait for this application, "" when it is ready: in sync, nothing running or failed, healthy.

    Health counts where upstream's Ready has it in it: always in Argo CD, in Flux with `wait` only. A failed operation
    of an older commit than the one that was found in sync since does not count any more.
    """
    if status.suspended:
        return "it is suspended: resume it or take the dependency out"
    if app.refusal:
        return "it is refused: see its message"
    if status.sync is SyncStatus.UNKNOWN:
        return "nothing is known of it yet" if not status.revision else "its state is unknown now"
    operation = status.operation
    if operation is not None and operation.phase in _BUSY:
        return "its sync is running"
    if operation is not None and operation.phase in _BAD and operation.revision == status.revision:
        return "its sync has failed"
    if status.sync is not SyncStatus.SYNCED:
        return f"it is {status.sync}"
    health_counts = policy_of(app.dialect).health.always_in_ready or app.sync.wait
    if health_counts and not settled(app.dialect, Health(status.health)):
        return f"it is {status.health}"
    return ""


def behind(looked_at: str, wanted: str, listed_at: float, since: float) -> bool:
    """Whether a dependency in the same repository has yet to be looked at, at what its revision means now.

    `looked_at` is the commit it was last looked at, which says nothing of the commit that last changed its inputs;
    `wanted` the commit that its own revision means by the refs that were listed at `since`. A look at refs that were
    listed no earlier has seen all of that, whatever the commit: it may be ahead.
    """
    return looked_at != wanted and listed_at < since
