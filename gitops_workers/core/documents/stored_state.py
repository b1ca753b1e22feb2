"""What an attempt knows of its application before it asks anybody, decoded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents import kinds, wills
from gitops_workers.core.documents.kind import Documents
from gitops_workers.core.documents.sets import DriftedObjects, Waits
from gitops_workers.core.explain.attempt_facts import AttemptFacts
from gitops_workers.core.record.record_copy import RecordCopy
from gitops_workers.core.scheduling import refresh as refreshes
from gitops_workers.core.settings.settings_version import SettingsVersion
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Answer, Request, pending
from gitops_workers.core.telemetry.trace_context import Traces

OF_APPLICATION = (
    kinds.OVERRIDE,
    kinds.BASELINE,
    kinds.DRIFT,
    kinds.REQUEST,
    kinds.ANSWER,
    kinds.OPERATION,
    kinds.LISTED_AT,
    kinds.RECORD_COPY,
    kinds.LEFT_BEHIND,
    kinds.REFRESH,
    kinds.REFRESHED,
    kinds.FACTS,
)
"""What an attempt reads of its application, in one round trip."""
SHARED = (kinds.SETTINGS,)
"""What it reads of the installation with it."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """The documents of one application as one attempt has read them; nothing here changes while it runs."""

    override: wills.Override | None = None
    baseline: SyncBaseline = field(default_factory=SyncBaseline)
    drift: DriftedObjects | None = None
    request: Request | None = None
    answer: Answer | None = None
    operation: Operation | None = None
    listed_at: float = 0.0
    record: RecordCopy | None = None
    left_behind: Mapping[str, int] = field(default_factory=dict)
    """Objects by cluster."""
    refresh: wills.RefreshRequest | None = None
    refreshed: wills.RefreshAnswer | None = None
    facts: AttemptFacts | None = None
    waits: Waits | None = None
    deletion_order: wills.DeletionOrder | None = None
    settings: SettingsVersion | None = None
    traces: Traces = ()

    @property
    def asked(self) -> Request | None:
        """What the attempt is asked for."""
        begun = self.operation.request if self.operation is not None else None
        running = begun if self.operation is not None and self.operation.running else None
        return pending(self.request, self.answer, running, begun)

    @property
    def unanswered(self) -> Operation | None:
        """The ended operation of the last request, where its answer cannot be read: it says what the answer was."""
        operation, request = self.operation, self.request
        if operation is None or operation.running or operation.request is None or request is None:
            return None
        unread = self.answer is not None and not self.answer.id
        return operation if unread and operation.request.id == request.id else None

    @property
    def refresh_pending(self) -> bool:
        """Whether somebody waits for a comparison with nothing remembered."""
        return refreshes.is_pending(self.refresh, self.refreshed)


def stored_state(found: Documents) -> StoredState:
    """The documents as one value; those that were not asked for are as if there were none."""
    return StoredState(
        override=found.get(kinds.OVERRIDE),
        baseline=found.get(kinds.BASELINE) or SyncBaseline(),
        drift=found.get(kinds.DRIFT),
        request=found.get(kinds.REQUEST),
        answer=found.get(kinds.ANSWER),
        operation=found.get(kinds.OPERATION),
        listed_at=found.get(kinds.LISTED_AT) or 0.0,
        record=found.get(kinds.RECORD_COPY),
        left_behind=found.get(kinds.LEFT_BEHIND) or {},
        refresh=found.get(kinds.REFRESH),
        refreshed=found.get(kinds.REFRESHED),
        facts=found.get(kinds.FACTS),
        waits=found.get(kinds.WAITS),
        deletion_order=found.get(kinds.DELETION_ORDER),
        settings=found.get(kinds.SETTINGS),
        traces=found.get(kinds.TRACES) or (),
    )
