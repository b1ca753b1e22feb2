"""Explain: what the last attempt made of each stage, and why nothing happens now."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.documents import kinds
from gitops_workers.core.documents.stored_state import stored_state
from gitops_workers.core.explain.explanation import Due, Explanation, Known
from gitops_workers.core.explain.reasons import explain
from gitops_workers.core.model import Application
from gitops_workers.core.prune.deletion import confirmed
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import Queue, State

DOCUMENTS = (kinds.OVERRIDE, kinds.OPERATION, kinds.LISTED_AT, kinds.WAITS, kinds.FACTS, kinds.DELETION_ORDER)


def explanation_of(state: State, queue: Queue, status: Status) -> Explanation:
    """What is stored about the application of this row, in words."""
    app, stored = state.application(status.id), stored_state(state.load_of(status.id, DOCUMENTS))
    if app is not None and app.leaving is not None:
        app = replace(app, leaving=confirmed(app.leaving, stored.deletion_order))
    return explain(
        Known(
            status=status,
            now=queue.now(),
            app=app,
            facts=stored.facts,
            operation=stored.operation,
            suspended_by=stored.override.by if stored.override else "",
            waits=frozenset(stored.waits.seen if stored.waits else ()),
            listed_at=stored.listed_at,
            rows=state.resources(status.id),
            cluster=next((view for view in state.clusters() if view.name == status.cluster), None),
            dues=_dues(queue, status, app),
        )
    )


def _dues(queue: Queue, status: Status, app: Application | None) -> list[Due]:
    groups = {cluster_group(status.cluster): "its cluster is polled for changes"}
    if app is not None and app.source.url:
        groups = {repository_group(app): "its repository is polled", **groups}
    queue_states = queue.queue_states(status.id, list(groups))
    return [Due(what, found.state, found.at) for what, found in zip(("", *groups.values()), queue_states, strict=True)]
