"""The hooks of one operation: made room for, created, watched, and put away at the end.

Nothing here waits. What a hook's object says decides, and that it was begun is kept with the operation. A worker that
dies between two requests leaves an object that carries the operation's mark, and the next step finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.errors import ApplyRefused, InvalidObject
from gitops_workers.core.model import Application, Health
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.prune.candidates import end_of, hook_removal
from gitops_workers.core.record.record import InventoryItem
from gitops_workers.core.sync import operation as operations
from gitops_workers.core.sync.hooks import (
    Hook,
    HookDeletion,
    HookPhase,
    HookState,
    belongs,
    doomed,
    ended,
    held,
    instance,
    state,
)
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.ordering import Task
from gitops_workers.core.sync.plan import Plan, Stage
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.operation.writes import Writer
from gitops_workers.ports import Cluster

log = structlog.get_logger()


@dataclass(slots=True)
class HookRuns:
    """Every request about hooks in one step."""

    context: Context
    app: Application
    cluster: Cluster
    writer: Writer
    earlier: tuple[InventoryItem, ...] = ()
    """Objects of runs that the record knows of."""
    _read: dict[ObjectKey, Manifest | None] = field(default_factory=dict)

    def dry_run(self, operation: Operation, plan: Plan, unready: Iterable[str]) -> None:
        """Dry-run every hook that does not exist yet, before anything is written. Raises ApplyRefused for them all.

        `unready`: namespaces that this sync creates; what goes into them cannot be tried.
        """
        served, missing = self.cluster.discovery().resources, frozenset(unready)
        refused = []
        for item in {item.key: item for item in (self._item(operation, task) for task in plan.hooks)}.values():
            if item.key.group_kind not in served or item.key.namespace in missing:
                continue
            if self._live(item) is None:
                try:
                    self._try(item)
                except ApplyRefused as error:
                    refused.append(str(error))
        if refused:
            raise ApplyRefused("; ".join(refused))

    def _try(self, item: Desired) -> None:
        try:
            self.cluster.apply(item.manifest, dry_run=True)
        except InvalidObject as error:
            try:  # an apply cannot express everything that a create takes
                self.cluster.create(item.manifest, dry_run=True)
            except ApplyRefused:
                raise error from None

    def delete_previous(self, operation: Operation, stage: Stage) -> tuple[str, ...]:
        """Delete what earlier runs have left where the policy says so; the objects that are still there."""
        waiting = []
        for task in stage.hooks:
            item, hook = self._item(operation, task), _hook(task)
            if _name(task) in operation.begun or HookDeletion.BEFORE not in hook.deletions:
                continue
            live = self._live(item)
            if live is None or self._state(item, live, begun=False) is not HookState.EARLIER:
                continue
            self._remove(item, live)
            if (left := self._live(item, again=True)) is not None:
                waiting.append(end_of(f"the earlier {item.key}", left))
        return tuple(waiting)

    def start(self, operation: Operation, task: Task) -> Operation:
        """Create the hook, unless this operation has. What is there and is not to be deleted is applied over."""
        name = _name(task)
        if name in operation.begun:
            return operation
        item = self._item(operation, task)
        live = self._live(item)
        if live is None or self._state(item, live, begun=False) is HookState.EARLIER:
            self._read[item.key] = self.writer.run_hook(item)
        return operations.begun(operation, name)

    def status(self, operation: Operation, stage: Stage) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(hooks that still run, hooks that ended badly and how)."""
        running, bad = [], []
        for task in stage.hooks:
            item = self._item(operation, task)
            live = self._live(item)
            health = self._health(live)
            match self._state(item, live, begun=True):
                case HookState.RUNNING:
                    running.append(str(item.key))
                case HookState.FAILED:
                    said = health.message or health.status.value if health else ""
                    bad.append(f"hook {item.key} failed: {said}")
                case HookState.LOST:
                    bad.append(f"hook {item.key} was deleted while it ran, so its result is unknown")
        return tuple(running), tuple(bad)

    def cleanup(self, operation: Operation, plan: Plan) -> None:
        """At the end: let go of every hook's object, and delete those whose policy says so.

        Also of hooks that have left Git since an earlier operation began them: nobody else takes our finalizer off.
        """
        known: dict[ObjectKey, tuple[Desired | InventoryItem, Hook | None]] = {
            item.key: (item, None) for item in self.earlier
        }
        for task in plan.hooks:
            run = self._item(operation, task)
            known[run.key] = (run, task.hook)
        for item, hook in known.values():
            live = self._live(item, again=True)
            if live is None or not self.writer.owns(item.key, live):
                self.writer.gone_hooks.add(item.key)
                continue
            # Of a hook that runs in several phases the object is that of the last one that began.
            ours, health = belongs(live, operation.run), self._health(live)
            stops = operation.overdue and not ended(health)
            if ours and (stops or (hook is not None and doomed(hook, health))):
                self._remove(item, live)
                self.writer.gone_hooks.add(item.key)
            elif held(live):
                self.writer.release(item.key, live, item.version)

    def stop(self, operation: Operation) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(hooks that are deleted because they still ran, refusals) where the operation is ended from outside.

        What has come to its end stays, whatever its policy says, and is let go of (gitops-engine, Terminate).
        """
        stopped, refused = [], []
        for item in self.earlier:
            try:
                live = self._live(item, again=True)
                if live is None or not belongs(live, operation.run) or not self.writer.owns(item.key, live):
                    continue
                if not ended(self._health(live)):
                    self._remove(item, live)
                    stopped.append(str(item.key))
                elif held(live):
                    self.writer.release(item.key, live, item.version)
            except ApplyRefused as error:
                refused.append(str(error))
        return tuple(stopped), tuple(refused)

    def release_finalizer(self) -> None:
        """Take our finalizer off whatever is there. What refuses that is tried again with the next look."""
        for item in self.earlier:
            try:
                live = self._live(item, again=True)
                if live is not None and held(live) and self.writer.owns(item.key, live):
                    self.writer.release(item.key, live, item.version)
            except ApplyRefused as error:
                log.warning("hook_not_let_go", object=str(item.key), reason=str(error))

    def discard(self, operation: Operation, tasks: Iterable[Task]) -> None:
        """Delete the objects of these runs, whatever their policy says: nobody is left who would look after them."""
        for task in tasks:
            item = self._item(operation, task)
            live = self._live(item, again=True)
            if live is not None and self.writer.owns(item.key, live):
                self._remove(item, live)

    def _remove(self, item: Desired | InventoryItem, live: Manifest) -> None:
        deletion = hook_removal(self.app, item.key, item.version, live)
        if held(live):
            self.writer.release(item.key, live, item.version)
        self.writer.remove(deletion)
        self._read.pop(item.key, None)

    def _item(self, operation: Operation, task: Task) -> Desired:
        return instance(_hook(task), task.phase, operation.run, operation.commit, operation.started_at)

    def _live(self, item: Desired | InventoryItem, *, again: bool = False) -> Manifest | None:
        if again or item.key not in self._read:
            self._read[item.key] = self.cluster.get(item.key, item.version)
        return self._read[item.key]

    def _state(self, item: Desired, live: Manifest | None, *, begun: bool) -> HookState:
        return state(item, live, self._health(live), begun=begun)

    def _health(self, live: Manifest | None) -> Health | None:
        return None if live is None else self.context.rules.health(self.app, live)


def instances(operation: Operation, tasks: Sequence[Task]) -> tuple[InventoryItem, ...]:
    """What the record remembers of these hooks."""
    found: Mapping[ObjectKey, str] = {
        item.key: item.version
        for item in (
            instance(_hook(task), task.phase, operation.run, operation.commit, operation.started_at) for task in tasks
        )
    }
    return tuple(InventoryItem(key, version) for key, version in found.items())


def _hook(task: Task) -> Hook:
    assert task.hook is not None
    return task.hook


def _name(task: Task) -> str:
    """One run of one hook: a hook may run in several phases."""
    return f"{HookPhase(task.phase).title} {task.item.key}"
