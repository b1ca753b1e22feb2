"""PreDelete and PostDelete hooks: what an application runs around the end of its objects.

They are rendered from what was deployed last, so that the deletion of an application whose manifest is gone still
knows them. The record says whether there are any: who has none is deleted without Git.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.policy.policy import check
from gitops_workers.core.record.record import InventoryItem, Record
from gitops_workers.core.source.snapshot import homed, restored
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.hooks import HookPhase
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.ordering import Task
from gitops_workers.core.sync.plan import Stage, hook_stages
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation.hook_runs import HookRuns, instances
from gitops_workers.pipeline.reconcile import stages
from gitops_workers.ports import Cluster


@dataclass(frozen=True, slots=True)
class DeleteHooks:
    """The hooks of one deletion. `Operation.stage` counts the stages of both that are done."""

    before: tuple[Stage, ...] = ()
    after: tuple[Stage, ...] = ()

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every hook run, first to last."""
        return tuple(task for stage in (*self.before, *self.after) for task in stage.hooks)

    def items(self, operation: Operation) -> tuple[InventoryItem, ...]:
        """Their objects."""
        return instances(operation, self.tasks)

    def keys(self, operation: Operation) -> frozenset[ObjectKey]:
        """The identities of their objects."""
        return frozenset(item.key for item in self.items(operation))


NO_HOOKS = DeleteHooks()


def delete_hooks_of(
    context: Context, app: Application, cluster_name: str, cluster: Cluster, record: Record
) -> DeleteHooks:
    """The hooks of what was deployed last. Raises Refused or Retry where that cannot be rendered."""
    if not record.delete_hooks or not record.history:
        return NO_HOOKS
    entry = record.history[-1]
    found = cluster.discovery()
    deployed = restored(homed(app, entry), entry, context.sealer.open)
    _, rendered = stages.render_objects(context, deployed, Resolved(entry.revision, entry.ref), found)
    wanted = stages.desired_state(deployed, rendered.objects, stages.scopes_for(cluster, found, rendered.objects))
    delete_hooks = DeleteHooks(
        hook_stages(wanted.hooks, HookPhase.PRE_DELETE), hook_stages(wanted.hooks, HookPhase.POST_DELETE)
    )
    keys = (task.item.key for task in delete_hooks.tasks)
    check(app, keys, context.clusters.identity(cluster_name))
    return delete_hooks


def run_delete_hooks(
    runs: HookRuns, operation: Operation, hooks: Sequence[Stage], done: int
) -> tuple[Operation, tuple[str, ...], str]:
    """(the operation, what is still waited for, what has failed) after as many stages as are open now.

    `done`: how many stages there are before these.
    """
    if operation.stage < done:
        operation = operations.advance(operation, done)
    while operation.stage < done + len(hooks):
        stage = hooks[operation.stage - done]
        if room := runs.delete_previous(operation, stage):
            return operation, room, ""
        for task in stage.hooks:
            operation = runs.start(operation, task)
        running, bad = runs.status(operation, stage)
        if bad:
            return operation, (), f"{stage.name}: {bad[0]}"
        if running:
            return operation, running, ""
        operation = operations.advance(operation)
    return operation, (), ""
