"""One step of a deletion: as many of its stages as are open now, then wait, or the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.errors import ApplyRefused, Superseded
from gitops_workers.core.model import (
    Application,
    Condition,
    Health,
    Phase,
    SyncStatus,
)
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.policy.policy import allows
from gitops_workers.core.prune import deletion as deletions
from gitops_workers.core.prune.candidates import Deletion, DeletionPlan, Evidence, Remaining, deletion_plan, pending
from gitops_workers.core.prune.deletion import DeletionStage
from gitops_workers.core.prune.deletion_request import DeletionRequest
from gitops_workers.core.record.record import InventoryItem, Record, StoredRecord
from gitops_workers.core.record.record_copy import copy_of
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.hooks import held
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.plan import Stage
from gitops_workers.core.text.plural import amount
from gitops_workers.core.text.timefmt import stamp
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.deletion import delete_hooks
from gitops_workers.pipeline.deletion import deletion_outcomes as outcomes
from gitops_workers.pipeline.operation import delays
from gitops_workers.pipeline.operation.hook_runs import HookRuns
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.pipeline.reconcile import stages
from gitops_workers.pipeline.reconcile.outcome import Outcome
from gitops_workers.ports import Attempt, Cluster


@dataclass(slots=True)
class DeletionStep:
    """What one attempt has in its hands."""

    context: Context
    app: Application
    leaving: DeletionRequest
    attempt: Attempt
    cluster_name: str
    cluster: Cluster
    stored: StoredRecord
    operation: Operation

    def run(self) -> Outcome | None:
        """Everything that can be done without waiting."""
        app, leaving = self.app, self.leaving
        record, entered = self.stored.record, self.operation.stage
        hooks_of_it = delete_hooks.delete_hooks_of(self.context, app, self.cluster_name, self.cluster, record)
        own = hooks_of_it.keys(self.operation)
        items, hooks = self._permitted(record.inventory), self._permitted(record.hooks)
        runs = [item for item in hooks if item not in items and item.key not in own]
        generation = self.attempt.generation
        live = self._read((*items, *runs))
        evidence = Evidence(generation, rendered=generation, approved=generation, live=live)
        found = deletion_plan(
            app,
            (*items, *runs),
            evidence,
            leaving,
            consent=deletions.approved(leaving),
            hooks={item.key for item in runs},
            doubtful=record.doubtful,
        )
        writer = self._writer(replace(record, inventory=items, hooks=hooks), hooks_of_it.items(self.operation))
        hook_runs = HookRuns(self.context, app, self.cluster, writer)
        if self.stored.record.deletion != writer.deletion:
            writer.fence()
        if found.awaiting_confirmation:
            asks = outcomes.names(found.awaiting_confirmation)
            known = any(key in record.doubtful for key in found.awaiting_confirmation)
            why = "known by its marks alone, since the record was lost" if known else "Delete=confirm"
            text = f"{asks} asks for a confirmation ({why}): run `gitops-workers app delete {app.id} --yes`."
            return self._waits(
                writer, found, (*found.deletions, *found.terminating), text, due_in=outcomes.AWAITING_USER_RECHECK_S
            )
        wait = deletions.begins_at(leaving, self.context.catalogue_interval) - self.context.queue.now()
        if wait > 0:
            text = "its manifest has left the catalogue; nothing is deleted yet, in case it comes back at once."
            return self._waits(writer, found, found.deletions, text, due_in=wait)
        # Where nothing is left, they have run: Redis was emptied since.
        before = hooks_of_it.before if found.deletions or found.terminating else ()
        if wait_for := self._hooks(writer, found, hook_runs, before, 0):
            return wait_for
        for number, stage in enumerate(deletions.stages(app, leaving, found)):
            if number and self.context.queue.wanted(app.id) != generation:
                raise Superseded(f"{app.id}: something was asked meanwhile; perhaps its manifest is back.")
            self._let_go(writer, live, stage)
            writer.prune(stage.deletions)
            left = (*self._still_there(stage.deletions), *stage.terminating) if stage.waits else ()
            if left and not self._late():
                shown = f"{left[0].key}: {left[0].why}"
                text = f"{stage.name}: waiting for {amount(len(left), 'object')}, first {shown}"
                return self._waits(writer, found, left, text)
        if wait_for := self._hooks(writer, found, hook_runs, hooks_of_it.after, len(hooks_of_it.before)):
            return wait_for
        if hooks_of_it.tasks and self.operation.stage != entered:
            # What is put away cannot be looked at again: that all have run has to be known before.
            return self._waits(writer, found, (), "putting its hooks away.", due_in=0.0)
        hook_runs.discard(self.operation, hooks_of_it.tasks)
        return self._end(writer, found)

    def _hooks(
        self, writer: Writer, found: DeletionPlan, runs: HookRuns, hooks: Sequence[Stage], done: int
    ) -> Outcome | None:
        """The outcome where a hook is waited for or has failed; None when all have ended well."""
        self.operation, waiting, bad = delete_hooks.run_delete_hooks(runs, self.operation, hooks, done)
        if waiting:
            return self._waits(writer, found, (), f"waiting for hook {waiting[0]}.")
        if not bad:
            return None
        ended = operations.finish(self.operation, Phase.FAILED, bad, self.context.queue.now())
        delay = delays.retry_delay(self.app, ended.failures)
        text = f"{bad} It is tried again in {delay:.0f} s; `--cascade orphan` gives the objects up."
        outcome = self._waits(writer, found, (), text, due_in=delay)
        return replace(outcome, operation=ended, conditions=(*self.app.conditions, Condition("DeletionError", bad)))

    def _permitted(self, items: Iterable[InventoryItem]) -> tuple[InventoryItem, ...]:
        """Without what the project forbids: that is left alone (Argo CD 3.5 docs, projects)."""
        identity = self.context.clusters.identity(self.cluster_name)
        return tuple(item for item in items if allows(self.app, item.key, identity))

    def _let_go(self, writer: Writer, live: Mapping[ObjectKey, Manifest | None], stage: DeletionStage) -> None:
        """Take our finalizer off the objects of hook runs, which no other controller does."""
        for key, version in [(item.key, item.version) for item in stage.deletions] + [
            (item.key, item.version) for item in stage.terminating
        ]:
            manifest = live[key]
            if manifest is not None and held(manifest):
                writer.release(key, manifest, version)

    def _writer(self, record: Record, hooks: tuple[InventoryItem, ...]) -> Writer:
        base = replace(self.stored, record=record)
        return Writer(
            self.context,
            self.app,
            self.attempt,
            self.cluster_name,
            self.cluster,
            base,
            (),
            listed_at=0.0,
            hooks=hooks,
            deletion=deletions.marked(self.leaving),
        )

    def _read(self, items: Iterable[InventoryItem]) -> dict[ObjectKey, Manifest | None]:
        """The live side of every item; an object whose kind is not served any more has gone with its definition."""
        listed = list(items)
        try:
            return stages.read_candidates(self.cluster, listed)
        except ApplyRefused:
            served = self.cluster.discovery(refresh=True)
        gone = {
            item.key: None
            for item in listed
            if item.key.group_kind not in served.resources and item.key.group not in served.failed
        }
        rest = [item for item in listed if item.key not in gone]
        return {**gone, **stages.read_candidates(self.cluster, rest)}

    def _still_there(self, doomed: Iterable[Deletion]) -> tuple[Remaining, ...]:
        """Which of them outlive their delete: something else has to let go of them first."""
        items = {item.key: InventoryItem(item.key, item.version) for item in doomed}
        waves = {item.key: item.wave for item in doomed}
        return tuple(
            Remaining(key, items[key].version, waves[key], pending(live))
            for key, live in self._read(items.values()).items()
            if live is not None
        )

    def _late(self) -> bool:
        """Whether it was waited long enough: Flux leaves what does not terminate to itself."""
        limit = self.leaving.policy.timeout
        return bool(limit) and self.context.queue.now() >= self.operation.started_at + limit

    def _end(self, writer: Writer, found: DeletionPlan) -> Outcome | None:
        """The record goes, and then the application. A kept object stays as if it had never been ours."""
        parts = [f"{amount(len(found.deletions) + len(found.terminating) + found.gone, 'object')} deleted"]
        parts += (
            [f"{len(found.kept_objects)} kept ({outcomes.names(item.key for item in found.kept_objects)})"]
            if found.kept_objects
            else []
        )
        late = found.terminating if self.leaving.policy.waits else ()
        parts += [f"{len(late)} still terminating ({outcomes.names(item.key for item in late)})"] if late else []
        message, kind = f"Deleted: {', '.join(parts)}.", "Warning" if late else "Normal"
        return outcomes.ended(self.context, self.app, message, kind, last=lambda: self._drop_record(writer))

    def _drop_record(self, writer: Writer) -> None:
        assert writer.stored is not None
        writer.lease.prove()
        self.context.clusters.records(self.cluster_name).delete(self.app.id, writer.stored.resource_version)

    def _waits(
        self,
        writer: Writer,
        found: DeletionPlan,
        left: Iterable[Deletion | Remaining],
        text: str,
        due_in: float | None = None,
    ) -> Outcome:
        app = self.app
        pending = tuple(str(item.key) for item in left)
        operation = replace(self.operation, looks=self.operation.looks + 1, waiting_for=pending, message=text)
        status = policy_of(app.dialect).health.deleting
        return Outcome(
            message=f"Being deleted, since {stamp(self.leaving.since)}: {text}",
            sync=SyncStatus.OUT_OF_SYNC,
            health=Health(status, "Pending deletion"),
            operation=operation,
            resources=outcomes.rows(found, status),
            record=copy_of(self.cluster_name, writer.stored) if writer.stored else None,
            conditions=app.conditions,
            served=False,
            due_in=operation.wait if due_in is None else due_in,
        )
