"""One step of an operation: stages while their gates are open, then wait, or the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gitops_workers.core.errors import GitOpsError, Refused
from gitops_workers.core.model import Phase
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.candidates import Pruning, end_of, still_there
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.pause import Pause
from gitops_workers.core.sync.plan import Gate, Plan, Stage
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation import namespaces
from gitops_workers.pipeline.operation.gates import gate, named
from gitops_workers.pipeline.operation.hook_runs import HookRuns, instances
from gitops_workers.pipeline.operation.step_report import report_step
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.pipeline.reconcile.object_state import ObjectState
from gitops_workers.pipeline.reconcile.observation import Observation
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.pipeline.reconcile.stages import missing_namespaces, read_candidates


def run(context: Context, observation: Observation, operation: Operation, plan: Plan, pruning: Pruning) -> Outcome:
    """As many stages as are open now. Raises Superseded, Retry; Refused ends the operation."""
    return _step(context, observation, operation, plan, pruning).run(operation)


def dry_run(context: Context, observation: Observation, operation: Operation, plan: Plan, pruning: Pruning) -> None:
    """Dry-run what was not looked at: the hooks. Raises ApplyRefused."""
    _step(context, observation, operation, plan, pruning).dry_run(operation)


def _step(context: Context, observation: Observation, operation: Operation, plan: Plan, pruning: Pruning) -> Step:
    writer = Writer(
        context,
        observation.app,
        observation.attempt,
        observation.cluster_name,
        observation.cluster,
        observation.stored,
        observation.inventory,
        observation.listed_at,
        instances(operation, plan.hooks),
        delete_hooks=observation.delete_hooks,
        part=bool(observation.asked and observation.asked.resources),
        rendered=observation.rendered,
        paused=_pause(observation, operation),
    )
    return Step(
        context, observation, plan, pruning, writer, _hook_runs(context, observation, writer), dict(observation.states)
    )


def _hook_runs(context: Context, observation: Observation, writer: Writer) -> HookRuns:
    earlier = observation.stored.record.hooks if observation.stored else ()
    return HookRuns(context, observation.app, observation.cluster, writer, earlier)


@dataclass(slots=True)
class Step:
    """One step of one operation. `states` follows the server's answers."""

    context: Context
    observation: Observation
    plan: Plan
    pruning: Pruning
    writer: Writer
    hooks: HookRuns
    states: dict[ObjectKey, ObjectState]
    watched: bool = False
    """Whether all that is waited for are objects that the cluster's poll sees change."""

    def run(self, operation: Operation) -> Outcome:
        """Until a gate is shut, something fails, or all is done."""
        stages = self.plan.of(failing=bool(operation.failure))
        entered = operation
        self._prepare(operation)
        while operation.stage < len(stages):
            stage = stages[operation.stage]
            try:
                operation, blocked, broken = self._perform(operation, stage)
            except Refused as error:
                if not self.plan.hooks:
                    raise
                blocked, broken = (), (str(error),)
            if broken:
                return self._failed(operation, f"{stage.name}: {broken[0]}")
            if blocked:
                waiting = operations.waiting(operation, blocked, self.context.queue.now())
                return self._report(waiting) if waiting.running else self._failed(operation, waiting.message, late=True)
            operation = operations.advance(operation)
            if stage.gate is Gate.SERVED or stage.defines:
                self.observation.cluster.discovery(refresh=True)
        if self.plan.hooks and entered.stage < len(stages):
            # What is put away cannot be looked at again: that the stages are done has to be known before.
            return self._report(replace(operation, message="The hooks' objects are being deleted."))
        return self._ended(operation)

    def _perform(self, operation: Operation, stage: Stage) -> tuple[Operation, tuple[str, ...], tuple[str, ...]]:
        """The stage's requests; then what is still waited for, and what has failed."""
        if stage.deletes_first:
            self.writer.prune(stage.deletions)
        if room := self.hooks.delete_previous(operation, stage):
            return operation, room, ()
        for task in stage.tasks:
            if task.hook is None:
                self.writer.write(task.item, self.states)
            else:
                operation = self.hooks.start(operation, task)
        if not stage.deletes_first:
            self.writer.prune(stage.deletions)
        running, bad = self.hooks.status(operation, stage)
        blocked, broken = gate(self.context, self.observation, stage, self.states)
        leaving = self._leaving(stage)
        pending = any(self.states[key].pending for key in stage.keys)
        self.watched = not (leaving or running or pending or named(self.observation.app))
        return operation, (*leaving, *running, *blocked), (*bad, *broken)

    def _leaving(self, stage: Stage) -> tuple[str, ...]:
        """What was deleted and is still there: with its dependants (foreground), or held by somebody's finalizer."""
        found = []
        for item in stage.awaited:
            live = self.observation.cluster.get(item.key, item.version)
            if live is not None and live["metadata"]["uid"] == item.uid:
                found.append(end_of(item.key, live))
        return tuple(found)

    def _prepare(self, operation: Operation) -> None:
        if operation.failure or operation.stage or operation.looks:
            return
        seen = bool(self.observation.baseline.objects)
        namespaces.prepare(self.writer, self.observation.cluster, self.observation.namespace, self.states, seen=seen)
        self.dry_run(operation)

    def dry_run(self, operation: Operation) -> None:
        """Dry-run the hooks, unless one of them has begun."""
        if self.plan.hooks and not operation.begun:
            items = [task.item for task in self.plan.hooks]
            missing = missing_namespaces(
                self.observation.cluster, self.observation.app, self.observation.desired, items
            )
            self.hooks.dry_run(operation, self.plan, missing)

    def _failed(self, operation: Operation, message: str, *, late: bool = False) -> Outcome:
        """Failed: at once, or after SyncFail hooks have run and all hooks are put away."""
        now = self.context.queue.now()
        if operation.failure:
            stages = len(self.plan.after_failure)
            return self._report(operations.failed_anew(operation, message, stages, overdue=late))
        if self.plan.hooks:
            return self._report(operations.failing(operation, message, now, overdue=late))
        return self._report(operations.finish(operation, Phase.FAILED, message, now))

    def _ended(self, operation: Operation) -> Outcome:
        if self.plan.hooks or (self.observation.stored and self.observation.stored.record.hooks):
            self.hooks.cleanup(operation, self.plan)
        now = self.context.queue.now()
        if operation.failure:
            return self._report(operations.finish(operation, Phase.FAILED, operation.failure, now))
        message = f"{operations.summary(self._counted(operation), len(self.pruning.not_owned))} {self._held()}".strip()
        return self._report(operations.finish(operation, Phase.SUCCEEDED, message, now))

    def _held(self) -> str:
        """Which deletes somebody's finalizers hold up. Nothing waits for those of the last stage, so it is told."""
        deleted = [item for item in self.pruning.deletions if item.key in self.writer.deleted]
        try:
            return still_there(deleted, read_candidates(self.observation.cluster, deleted))
        except GitOpsError:
            return ""  # it is a remark, and all is done

    def _counted(self, operation: Operation) -> Operation:
        writer = self.writer
        return operations.counted(operation, applied=writer.applied, pruned=len(writer.deleted), ran=writer.hooks_run)

    def _report(self, operation: Operation) -> Outcome:
        outcome = report_step(
            self.context,
            self.observation,
            self.writer,
            self._counted(operation),
            self.states,
            self.pruning,
            self.watched,
        )
        if not operation.running or not operation.deadline or outcome.due_in is None:
            return outcome
        left = max(operations.FIRST_WAIT, operation.deadline - self.context.queue.now())
        return replace(outcome, due_in=min(outcome.due_in, left))  # a deadline is kept, however patient the looks are


def _pause(observation: Observation, operation: Operation) -> Pause | None:
    """The pause of automated sync as the record has it from this step on."""
    asked = observation.asked
    if asked is None or not asked.pause or not (observation.app.sync.automated or observation.paused):
        return observation.paused
    return Pause(operation.started_at, f"{asked.by} rolled back to #{asked.rollback}")
