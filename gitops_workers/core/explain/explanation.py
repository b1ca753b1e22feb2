"""`app explain`: what the last attempt made of each stage, in the order of the data flow.

Why nothing happens now is answered by `core.explain.reasons`. Everything is put into words here, from what is stored,
so that command, API and page say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_workers.core.cluster.access import ClusterIdentity, same_server
from gitops_workers.core.explain.attempt_facts import AttemptFacts
from gitops_workers.core.model import AppId, Application, SyncStatus
from gitops_workers.core.prune.deletion import DELETION_HELD
from gitops_workers.core.prune.deletion_request import Cascade, DeletionRequest
from gitops_workers.core.status.listing import epoch
from gitops_workers.core.status.rows import LEFT_GIT, ClusterView, ResourceView, Status
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.windows import windows_for, with_window_condition
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.timefmt import since, utc

ORDER = ("Revision", "Inputs", "Render", "Policy", "Comparison", "Prune", "Stages")
NAMED = 10
"""Objects named of many."""


@dataclass(frozen=True, slots=True)
class Due:
    """When something will look at the application. `state`: idle, queued or running; `at` None: not on its own."""

    what: str
    state: str
    at: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that is stored about an application and matters here. `dues`: its own first, then its polls."""

    status: Status
    now: float
    app: Application | None = None
    facts: AttemptFacts | None = None
    operation: Operation | None = None
    suspended_by: str = ""
    waits: frozenset[AppId] = frozenset()
    """The applications that it waits for."""
    listed_at: float = 0.0
    rows: Sequence[ResourceView] = ()
    cluster: ClusterView | None = None
    dues: Sequence[Due] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer, in words."""

    app: str
    why: str
    next_look: str
    next_at: float | None
    earlier: tuple[str, ...]
    sections: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """What `-o json` and the API give."""
        return {
            "id": self.app,
            "why": self.why,
            "nextLook": {"at": utc(self.next_at) if self.next_at is not None else None, "message": self.next_look},
            "earlier": list(self.earlier),
            "stages": [{"name": title, "lines": list(lines)} for title, lines in self.sections],
        }


def sections(known: Known) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(title, lines) of each stage, first to last; a stage without anything to say is left out."""
    facts = known.facts or AttemptFacts()
    found = [("Last attempt", _attempt(known, facts)), ("Deletion", _deletion(known))]
    reached = ORDER.index(facts.failed) if facts.failed in ORDER else len(ORDER)
    # What is being deleted is not rendered or compared any more.
    stages = _stages(known, facts) if leaving_of(known) is None else [[]] * len(ORDER)
    for number, (title, lines) in enumerate(zip(ORDER, stages, strict=True)):
        if number < reached:
            found.append((title, lines))
        elif number == reached:
            found.append(
                (title, [*(lines if title in ("Revision", "Prune") else ()), f"failed: {known.status.message}"])
            )
    polls = [f"{due.what} at {since(due.at, known.now)}" for due in known.dues[1:] if due.at is not None]
    if leaving_of(known) is None:
        found += [("Operation", _operation(known)), ("Depends on", _dependencies(known))]
    found += [("Windows", _windows(known)), ("Polls", polls)]
    return tuple((title, tuple(lines)) for title, lines in found if lines)


def _attempt(known: Known, facts: AttemptFacts) -> list[str]:
    checked = epoch(known.status.last_checked_at)
    lines = [since(checked, known.now)] if checked else []
    if checked and known.status.message:
        lines += [f"ended with: {known.status.message}"]
    if facts.at and abs(facts.at - checked) > 1.0:
        lines += [f"what follows was found at {since(facts.at, known.now)}, and nothing has changed since"]
    if facts.at and facts.reasons:
        lines += [f"asked for by: {'; '.join(facts.reasons)}"]
    return lines


def leaving_of(known: Known) -> DeletionRequest | None:
    """How the application is being deleted; None when it is not, or when a human has to say yes first."""
    leaving = known.app.leaving if known.app else None
    return None if leaving is None or leaving.held else leaving


def _deletion(known: Known) -> list[str]:
    leaving = known.app.leaving if known.app else None
    if leaving is None:
        return []
    lines = [f"its manifest is gone since {since(leaving.since, known.now)}"]
    if leaving.held:
        return [*lines, *(item.message for item in known.status.conditions if item.type == DELETION_HELD)]
    policy = leaving.policy
    ends = f", and is waited for at most {policy.timeout:g} s" if policy.timeout else ", and is waited for"
    how = f"its objects are deleted ({policy.cascade.value}){ends if policy.waits else ''}"
    lines += ["its objects are given up and stay" if policy.cascade is Cascade.ORPHAN else how]
    lines += [f"confirmed by {leaving.by}"] if leaving.by else []
    operation = known.operation
    lines += [operation.message] if operation is not None and operation.message else []
    going = [row for row in known.rows if row.health is not None]
    kept = [row for row in known.rows if row.health is None]
    lines += [f"{amount(len(going), 'object')} to go: {_some(going)}"] if going else []
    return lines + ([f"{amount(len(kept), 'object')} kept: {_some(kept)}"] if kept else [])


def _stages(known: Known, facts: AttemptFacts) -> list[list[str]]:
    return [
        _revision(known, facts),
        _inputs(facts),
        _render(facts),
        _policy(known, facts),
        _comparison(known, facts),
        [facts.prune] if facts.prune else [],
        _steps(known, facts),
    ]


def _revision(known: Known, facts: AttemptFacts) -> list[str]:
    status = known.status
    if facts.at and not facts.commit:
        # What was listed since says nothing of the commit that was compared before.
        last = f"{status.ref or 'HEAD'} at {status.revision}"
        return [f"no commit was looked at; the last one compared was {last}"] if status.revision else []
    commit, ref = facts.commit or status.revision, facts.ref or status.ref
    if not commit:
        return []
    listed = f", listed at {since(known.listed_at, known.now)}" if known.listed_at else ""
    lines = [f"{ref or 'HEAD'} at {commit}{listed}"]
    if facts.newer:
        lines += [f"{facts.newer} is newer and waits for the running operation (gitops-workers.dev/new-commit: wait)"]
    return lines


def _inputs(facts: AttemptFacts) -> list[str]:
    if not facts.inputs:
        return []
    whole = ", the whole commit: what is read cannot be told before" if facts.whole else ""
    lines = [f"{amount(facts.files, 'file')}, digest {facts.inputs[:12]}{whole}"]
    if not facts.inputs_before:
        return [*lines, "there is no earlier look to compare with"]
    before = f"{facts.inputs_before[:12]} at commit {facts.commit_before[:12]}"
    if facts.inputs_before == facts.inputs:
        return [*lines, f"the same as {before}"]
    if facts.changes < 0:
        return [*lines, f"not those of {before}; which changed cannot be told, that commit is gone"]
    more = [f"and {facts.changes - len(facts.changed)} more"] if facts.changes > len(facts.changed) else []
    return [*lines, f"{facts.changes} changed since {before}:", *facts.changed, *more]


def _render(facts: AttemptFacts) -> list[str]:
    if not facts.rendered:
        return []
    how = "from the cache" if facts.cached else "rendered anew"
    return [f"{amount(facts.objects, 'object')}, digest {facts.rendered[:12]}, {how}"]


def _policy(known: Known, facts: AttemptFacts) -> list[str]:
    if not facts.rendered:
        return []
    project = known.status.project
    if known.app is not None and known.app.limits is None:
        return [f"everything is allowed: the catalogue holds no project {project}"]
    return [f"allowed by project {project}"]


def _comparison(known: Known, facts: AttemptFacts) -> list[str]:
    of_an_earlier_attempt = bool(facts.at and not facts.rendered)
    if not known.rows or of_an_earlier_attempt:
        return []
    left = [row for row in known.rows if row.message == LEFT_GIT]
    differing = [row for row in known.rows if row.status is not SyncStatus.SYNCED and row not in left]
    verb = "differs" if len(differing) == 1 else "differ"
    lines = [f"{amount(len(known.rows) - len(differing) - len(left), 'object')} in sync, {len(differing)} {verb}"]
    lines += [f"differs: {_some(differing)}"] if differing else []
    return lines + ([f"no longer in Git: {_some(left)}"] if left else [])


def _some(rows: Sequence[ResourceView]) -> str:
    names = [
        f"{row.kind}{'.' if row.group else ''}{row.group} {row.namespace}{'/' if row.namespace else ''}{row.name}"
        for row in rows[:NAMED]
    ]
    return ", ".join(names) + (f" and {len(rows) - NAMED} more" if len(rows) > NAMED else "")


def _steps(known: Known, facts: AttemptFacts) -> list[str]:
    operation = known.operation
    if operation is None or not facts.stages or operation.commit != facts.commit:
        return []
    current = operation.stage if operation.running else facts.stages_in_all if not operation.failures else -1
    lines = []
    for number, text in enumerate(facts.stages):
        lines.append(f"{number + 1}. {text}{', done' if number < current else ''}")
        if number == current and operation.waiting_for:
            lines.append(f"   waiting since {since(operation.shut_at, known.now)}, for:")
            lines += [f"   {name}" for name in operation.waiting_for[:NAMED]]
            more = len(operation.waiting_for) - NAMED
            lines += [f"   and {more} more"] if more > 0 else []
    more = facts.stages_in_all - len(facts.stages)
    return [*lines, f"and {more} more"] if more > 0 else lines


def _operation(known: Known) -> list[str]:
    operation = known.operation
    if operation is None or not operation.commit:
        return []
    lines = [f"{operation.phase.value} at {operation.commit[:12]}, asked for by {operation.initiated_by}"]
    lines += [operation.message] if operation.message else []
    lines += [f"began {since(operation.started_at, known.now)}"] if operation.started_at else []
    if operation.finished_at:
        lines += [f"ended {since(operation.finished_at, known.now)}"]
    elif operation.deadline:
        lines += [f"fails when it still waits at {since(operation.deadline, known.now)}"]
    if operation.failures:
        lines += [f"{amount(operation.failures, 'failure')} in a row"]
    if operation.heals:
        lines += [f"healed {amount(operation.heals, 'time')} in a row"]
    return lines


def _dependencies(known: Known) -> list[str]:
    wanted = known.app.depends_on if known.app else ()
    return [f"{item.id}{', which is not ready' if item.id in known.waits else ''}" for item in wanted[:NAMED]]


def _windows(known: Known) -> list[str]:
    if known.app is None:
        return []
    destination = known.app.destination
    servers = {known.cluster.server if known.cluster else "", destination.server} - {""}
    names = frozenset({known.status.cluster, destination.name} - {""})
    cluster = ClusterIdentity(known.status.cluster, names, frozenset(map(same_server, servers)))
    return [with_window_condition(window) for window in windows_for(known.app, cluster)[:NAMED]]
