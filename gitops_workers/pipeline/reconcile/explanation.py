"""What an attempt notes for `app explain` (`services.explain` puts together what is stored).

What is noted is always what the last attempt found: an attempt writes it when it found anything else than the one
before, so a quiet look costs no request and no byte. The two closures are compared only when their digests differ,
which is when the inputs were read anyway.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import Any

from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents.stored_state import StoredState
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.explain import attempt_facts as noted
from gitops_workers.core.explain.attempt_facts import AttemptFacts
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.policy.policy import allows_repository
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.ports import Attempt, Closure


def save_facts(
    context: Context, app: Application, attempt: Attempt, stored: StoredState, outcome: Outcome
) -> AttemptFacts | None:
    """What this attempt found out; None when that is what the stored one says."""
    trace, chosen = outcome.trace, outcome.trace.chosen
    tried = Resolved(outcome.tried, outcome.tried_ref) if _COMMIT.fullmatch(outcome.tried) else Resolved("")
    resolved = chosen.resolved if chosen else tried
    closure = chosen.closure if chosen else None
    if closure is None and trace.failed in _AFTER_REVISION:
        closure = _closure(context, app, resolved)
    earlier = stored.facts
    failing = bool(outcome.operation and outcome.operation.failure)
    stages = noted.stages_of(trace.plan, failing=failing) if trace.plan else []
    compared = chosen is not None and trace.failed != "Prune"
    found = AttemptFacts(
        at=context.queue.now(),
        reasons=noted.cut(attempt.reasons),
        commit=resolved.commit,
        ref=resolved.ref,
        newer=chosen.newer.commit if chosen and chosen.newer else "",
        rendered=chosen.rendered.digest if chosen else "",
        cached=chosen.rendered.cached if chosen else False,
        objects=len(chosen.rendered.objects) if chosen else 0,
        prune=noted.prune_of(trace.stale, trace.pruning, allowed=_prunes(app, stored)) if compared else "",
        stages=noted.cut(stages),
        stages_in_all=len(stages),
        failed=trace.failed,
        **(_inputs(context, app, closure, stored.baseline, earlier) if closure else {}),
    )
    return None if earlier is not None and replace(found, at=earlier.at) == earlier else found


_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_AFTER_REVISION = frozenset({"Render", "Policy", "Comparison"})


def _prunes(app: Application, stored: StoredState) -> bool:
    asked = stored.asked
    return app.sync.prune or (asked is not None and asked.prune)


def _closure(context: Context, app: Application, resolved: Resolved) -> Closure | None:
    """The inputs at a commit, None when they cannot be told. Its tree is in memory, or one listing."""
    if not resolved.commit:
        return None
    with contextlib.suppress(GitOpsError):
        return context.closures.closure(app.source, app.render, resolved, app.name, allows_repository(app))
    return None


def _inputs(
    context: Context, app: Application, closure: Closure, baseline: SyncBaseline, earlier: AttemptFacts | None
) -> dict[str, Any]:
    """What the inputs are, and what changed in them since they were others."""
    files = len(closure.entries) + len(closure.others)
    found: dict[str, Any] = {"inputs": closure.digest, "files": files, "whole": closure.whole}
    if earlier is not None and earlier.inputs == closure.digest:
        kept = ("inputs_before", "commit_before", "changed", "changes")
        return {**found, **{name: getattr(earlier, name) for name in kept}}
    before, commit = baseline.closure, baseline.commit
    found |= {"inputs_before": before, "commit_before": commit}
    if not before or before == closure.digest:
        return found
    old = _closure(context, app, Resolved(commit))
    if old is None or old.digest != before:
        return {**found, "changes": -1}
    lines = noted.changed_inputs(_contents(old), _contents(closure))
    return {**found, "changed": noted.cut(lines), "changes": len(lines)}


def _contents(closure: Closure) -> list[tuple[str, str]]:
    return [(entry.path, f"{entry.mode} {entry.oid}") for entry in (*closure.entries, *closure.others)]
