"""The operation: a sync as a persisted state machine, stepped by short tasks.

    (none) --begin--> Running(stage 0) --advance--> Running(stage 1) ... --finish--> Succeeded | Failed | Error
                          |    ^   |
                          +----+   +--failing--> Running(SyncFail hooks) ... --finish--> Failed
                     wait: the gate is shut; due again in 1 s, growing to 5 s

What is stored is small: which commit, which stage, since when, how often tried. Everything else (plan, comparison) is
derived from the commit again, so a worker may die between any two steps and the next one goes on from the same place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gitops_workers.core.documents import codec
from gitops_workers.core.model import Application, Phase, Resolved
from gitops_workers.core.objects import digest
from gitops_workers.core.sync import request as requests
from gitops_workers.core.sync.request import Request
from gitops_workers.core.text.plural import amount

FIRST_WAIT = 1.0
LONGEST_WAIT = 5.0
"""Seconds between two looks at a shut gate that nobody else watches: quick for what is nearly there, gentle on what
takes minutes."""
WATCHED_WAIT = 5.0
LONGEST_WATCHED_WAIT = 30.0
"""The same where the cluster's poll watches: it rings when an object changes, and these looks only make sure."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One sync of one application. Times are epoch seconds; `failures` counts attempts that ended badly in a row."""

    generation: int
    commit: str
    ref: str
    phase: Phase
    started_at: float
    initiated_by: str
    stage: int = 0
    looks: int = 0
    """Consecutive looks at the same shut gate."""
    shut_at: float = 0.0
    """When the gate was first found shut."""
    failures: int = 0
    deadline: float = 0.0
    finished_at: float = 0.0
    message: str = ""
    waiting_for: tuple[str, ...] = ()
    consent: bool = False
    """A human allowed this sync's deletes."""
    rendered: str = ""
    """The render digest: a changed application is another operation, although the commit is the same."""
    waves: tuple[int, ...] = ()
    """The waves of the deletes at the beginning. What is deleted falls out of the plan; its place must not."""
    heals: int = 0
    """Heals of this rendered state in a row, this one included (see core.healing)."""
    heal_at: float = 0.0
    """When a difference that was seen since may be healed; 0: none waits."""
    healed: str = ""
    """What somebody had changed in the cluster, where the operation puts that back; "" for every other one."""
    request: Request | None = None
    """What somebody asked for; None when the engine began it by itself."""

    hooks: bool = True
    """Selective syncs and rollbacks run none (Argo CD 3.5)."""
    begun: tuple[str, ...] = ()
    """The hooks of this stage that were created."""
    applied: int = 0
    pruned: int = 0
    ran: int = 0
    """What all its steps have written so far: objects, deletes, hooks."""
    tried: str = ""
    """The commit that failed since, before an operation of it could begin, or why there was none to find."""
    failure: str = ""
    """Why it will end as Failed; from then on its SyncFail hooks are its stages."""
    overdue: bool = False
    """A deadline has passed: hooks that still run at its end are deleted."""

    @property
    def run(self) -> str:
        """A name that no other operation of the application has: for its hooks, log lines, events and status."""
        return digest(f"{self.generation} {self.started_at:.6f}")[:12]

    @property
    def running(self) -> bool:
        """Whether another step is due."""
        return self.phase is Phase.RUNNING

    @property
    def wait(self) -> float:
        """Seconds until the next look at a gate."""
        return min(LONGEST_WAIT, FIRST_WAIT * 1.5 ** max(0, self.looks - 1))

    @property
    def watched_wait(self) -> float:
        """Seconds until the next look at a gate that the cluster's poll watches."""
        return float(min(LONGEST_WATCHED_WAIT, WATCHED_WAIT * 2.0 ** min(10, max(0, self.looks - 1))))


def decode(value: Any) -> Operation:
    """The operation in JSON data. Raises ValueError; also for a request in it that may not be begun."""
    operation: Operation = codec.load(Operation, value, strict=False)
    if operation.request is not None:
        requests.check(operation.request)
    return operation


def begin(
    app: Application,
    generation: int,
    resolved: Resolved,
    now: float,
    initiated_by: str,
    *,
    failures: int,
    consent: bool,
    rendered: str = "",
    waves: tuple[int, ...] = (),
    heals: int = 0,
    request: Request | None = None,
) -> Operation:
    """A new operation at stage 0."""
    deadline = now + app.sync.timeout if app.sync.timeout else 0.0
    return Operation(
        generation=generation,
        commit=resolved.commit,
        ref=resolved.ref,
        phase=Phase.RUNNING,
        started_at=now,
        initiated_by=initiated_by,
        failures=failures,
        deadline=deadline,
        consent=consent,
        rendered=rendered,
        waves=waves,
        heals=heals,
        hooks=request is None or request.hooks,
        request=request,
    )


def failures_at(operation: Operation | None, commit: str) -> int:
    """Failures in a row of this commit, "" where nobody can tell which it is: another one begins anew."""
    if operation is None:
        return 0
    return operation.failures if commit in ("", operation.tried or operation.commit) else 0


def continues(
    operation: Operation | None, resolved: Resolved, rendered: str = "", asked: Request | None = None
) -> bool:
    """Whether the running operation goes on: a new commit replaces an old operation at once (argo-cd 11494).

    So does a new request, unless it wants nothing but what is going on. What an operation is pinned to is not resolved
    anew (`has_target_revision`), so no commit replaces that.
    """
    if operation is None or not operation.running or (asked is not None and not serves(operation, asked)):
        return False
    return (operation.commit, operation.rendered) == (resolved.commit, rendered)


def pinned_revision(operation: Operation | None, asked: Request | None) -> Resolved | None:
    """The commit that this request was resolved to when it began; None where it has to be resolved now.

    Also after an attempt that ended in an outage: the branch may have moved meanwhile, and the request has not.
    """
    if asked is None or not asked.has_target_revision or operation is None or not carries(operation, asked):
        return None
    return Resolved(operation.commit, operation.ref)


def carries(operation: Operation | None, asked: Request) -> bool:
    """Whether this operation was begun for this request."""
    return operation is not None and operation.request is not None and operation.request.id == asked.id


def serves(operation: Operation | None, asked: Request) -> bool:
    """Whether what is going on does what is asked for: it was begun for that, or both want nothing of their own."""
    if operation is None or carries(operation, asked):
        return operation is not None
    going = operation.request
    return not asked.needs_privilege and (going is None or not going.needs_privilege)


def advance(operation: Operation, to: int | None = None) -> Operation:
    """The gate is open: on to the next stage, or to this one."""
    return replace(operation, stage=operation.stage + 1 if to is None else to, looks=0, waiting_for=(), begun=())


def begun(operation: Operation, hook: str) -> Operation:
    """A hook of this stage was created."""
    return replace(operation, begun=(*operation.begun, hook))


def failing(operation: Operation, message: str, now: float, *, overdue: bool = False) -> Operation:
    """It has failed and still has hooks to run or to put away; they get as long as the operation had."""
    operation = replace(operation, overdue=operation.overdue or overdue)
    deadline = now + operation.deadline - operation.started_at if operation.deadline else 0.0
    text = f"{_sentence(message)} The hooks' objects are being deleted."
    return replace(advance(operation, 0), failure=message, message=text, deadline=deadline)


def failed_anew(operation: Operation, message: str, stages: int, *, overdue: bool) -> Operation:
    """One of the SyncFail hooks has failed too, so none of the `stages` is left; hooks are still to be put away."""
    text = f"{_sentence(operation.failure)} And {message}"
    overdue = operation.overdue or overdue
    return replace(
        advance(operation, stages),
        failure=text,
        message=f"{_sentence(text)} The hooks' objects are being deleted.",
        overdue=overdue,
    )


def _sentence(text: str) -> str:
    """The text with a full stop, so that another sentence can follow; messages of Jobs and Pods have none."""
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def waiting(operation: Operation, pending: tuple[str, ...], now: float) -> Operation:
    """The gate is shut; past the deadline the operation fails and names what it waited for."""
    names = ", ".join(pending[:5]) + (f" and {len(pending) - 5} more" if len(pending) > 5 else "")
    if operation.deadline and now >= operation.deadline:
        waited = round(now - operation.started_at)
        return finish(operation, Phase.FAILED, f"Not healthy after {waited} s: {names}.", now)
    return replace(
        operation,
        looks=operation.looks + 1,
        shut_at=operation.shut_at if operation.looks else now,
        waiting_for=pending,
        message=f"Waiting for {names}.",
    )


def counted(operation: Operation, *, applied: int, pruned: int, ran: int) -> Operation:
    """A step has written this much more."""
    return replace(
        operation, applied=operation.applied + applied, pruned=operation.pruned + pruned, ran=operation.ran + ran
    )


def summary(operation: Operation, not_owned: int = 0) -> str:
    """What the operation has done, in words."""
    parts = [
        text
        for number, text in (
            (operation.applied, f"{amount(operation.applied, 'object')} applied"),
            (operation.ran, f"{amount(operation.ran, 'hook')} run"),
            (operation.pruned, f"{operation.pruned} pruned"),
            (not_owned, f"{not_owned} left alone because they belong to somebody else now"),
        )
        if number
    ]
    return (", ".join(parts) or "Nothing left to apply") + "."


def finish(operation: Operation, phase: Phase, message: str, now: float) -> Operation:
    """The end, good or bad."""
    failures = 0 if phase is Phase.SUCCEEDED else operation.failures + 1
    return replace(operation, phase=phase, message=message, finished_at=now, failures=failures, waiting_for=())
