"""Explain: what the last attempt made of each stage, and why nothing happens now."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.explain import attempt_facts
from gitops_workers.core.explain.explanation import KIND, Due, Explanation, Known
from gitops_workers.core.explain.reasons import explain
from gitops_workers.core.model import Application
from gitops_workers.core.prune.deletion import DELETE_REQUEST, confirmed
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.core.status.rows import Status
from gitops_workers.pipeline.operation.step import operation_from
from gitops_workers.pipeline.reconcile.dependencies import WAITS
from gitops_workers.ports import Queue, State
from gitops_workers.services.suspension import OVERRIDE

DOCUMENTS = (OVERRIDE, "operation", "listed", WAITS, KIND, DELETE_REQUEST)


def explanation_of(state: State, queue: Queue, status: Status) -> Explanation:
    """What is stored about the application of this row, in words."""
    app, documents = state.application(status.id), state.load_of(status.id, DOCUMENTS)
    if app is not None and app.leaving is not None:
        app = replace(app, leaving=confirmed(app.leaving, documents.get(DELETE_REQUEST)))
    return explain(
        Known(
            status=status,
            now=queue.now(),
            app=app,
            facts=attempt_facts.from_json(documents.get(KIND)),
            operation=operation_from(documents.get("operation")),
            suspended_by=str((documents.get(OVERRIDE) or {}).get("by") or ""),
            waits=frozenset(documents.get(WAITS) or ()),
            listed_at=float(documents.get("listed") or 0.0),
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
