"""Every kind of stored document. The state store seals them, so none but our processes can have written one.

Applications, statuses, object rows, events and clusters have columns and indexes of their own and are no documents.
None of these holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_workers.core.diff.sync_baseline import SyncBaseline
from gitops_workers.core.documents import codec, polls, sets, wills
from gitops_workers.core.documents.kind import (
    ADDRESS,
    APPLICATION,
    CLUSTER,
    GROUP,
    INSTALLATION,
    REPOSITORY,
    Kind,
    Owner,
)
from gitops_workers.core.explain.attempt_facts import AttemptFacts
from gitops_workers.core.record import record_copy
from gitops_workers.core.record.record_copy import RecordCopy
from gitops_workers.core.settings.settings_version import SettingsVersion
from gitops_workers.core.status.rows import Preview
from gitops_workers.core.sync import operation, request
from gitops_workers.core.sync.operation import Operation
from gitops_workers.core.sync.request import Answer, Request
from gitops_workers.core.telemetry.trace_context import Traces

# What people ask. Unreadable, it is never less than what may have been asked.
REQUEST: Kind[Request] = Kind(
    "request", APPLICATION, Owner.PERSON, decode=request.decode, unreadable=request.unread, encode=codec.dump
)
"""What was asked last; one that cannot be read is refused, and its answer says why."""
OVERRIDE: Kind[wills.Override] = Kind(
    "override", APPLICATION, Owner.PERSON, wills.Override, whole=False, unreadable=wills.override_unread
)
"""A suspension, or its end."""
DELETION_ORDER: Kind[wills.DeletionOrder] = Kind(
    "delete", APPLICATION, Owner.PERSON, decode=wills.order, whole=False, unreadable=wills.order_unread
)
REFRESH: Kind[wills.RefreshRequest] = Kind(
    "refresh", APPLICATION, Owner.PERSON, wills.RefreshRequest, whole=False, unreadable=wills.refresh_unread
)

# What attempts tell those who asked.
ANSWER: Kind[Answer] = Kind("answer", APPLICATION, Owner.ATTEMPT, Answer, unreadable=request.answer_unread)
"""How the request with this id ended. Absent would mean that it is to be served once more."""
PREVIEW: Kind[Preview] = Kind("preview", APPLICATION, Owner.ATTEMPT, Preview, whole=False)
"""What the last dry run would change."""
REFRESHED: Kind[wills.RefreshAnswer] = Kind("refreshed", APPLICATION, Owner.ATTEMPT, wills.RefreshAnswer)

# What an attempt leaves for the next one and for the polls.
OPERATION: Kind[Operation] = Kind("operation", APPLICATION, Owner.ATTEMPT, decode=operation.decode, whole=False)
"""Without it the record in the cluster says that a sync is unfinished, and the request is still to be answered."""
BASELINE: Kind[SyncBaseline] = Kind("agreement", APPLICATION, Owner.ATTEMPT, SyncBaseline)
"""What was last found in sync. Without it every object is asked for."""
FINGERPRINT: Kind[polls.PollFingerprint] = Kind("glance", APPLICATION, Owner.ATTEMPT, polls.PollFingerprint)
"""Without it a poll asks for a first look."""
LISTED_AT: Kind[float] = Kind("listed", APPLICATION, Owner.ATTEMPT, float)
"""When the refs were listed that were looked at last (epoch s). The record has the same of what was written."""
HISTORY: Kind[tuple[polls.HistoryRow, ...]] = Kind("history", APPLICATION, Owner.ATTEMPT, tuple[polls.HistoryRow, ...])
"""Copied from the record with every sync that ends, for those who list it."""
FACTS: Kind[AttemptFacts] = Kind("explanation", APPLICATION, Owner.ATTEMPT, AttemptFacts, whole=False)
WAITS: Kind[sets.Waits] = Kind(
    "waits",
    APPLICATION,
    Owner.ATTEMPT,
    decode=sets.waits,
    encode=lambda waits: dict(waits.seen),
    unreadable=sets.waits_unread,
)
DRIFT: Kind[sets.DriftedObjects] = Kind(
    "drift",
    APPLICATION,
    Owner.POLL,
    decode=sets.drifted,
    encode=lambda drift: ["|".join(key) for key in sorted(drift.keys)],
    unreadable=sets.drifted_unread,
)
"""Written by polls, removed by the attempt that has compared those objects."""
TRACES: Kind[Traces] = Kind("traces", APPLICATION, Owner.POLL, Traces)
"""Removed by the attempt that ends the work on a commit. Without it an attempt begins a trace of its own."""
PUSH_TRACE: Kind[str] = Kind("push-trace", GROUP, Owner.PUSH, str)
"""The traceparent of the last push that no poll has answered yet. Without it the poll begins the trace."""
RECORD_COPY: Kind[RecordCopy] = Kind(
    "record",
    APPLICATION,
    Owner.RECORDS,
    decode=record_copy.from_json,
    encode=record_copy.to_json,
    unreadable=record_copy.unread,
)
"""Absent means that the cluster has no record where all were copied: unreadable, it is read from the cluster."""
LEFT_BEHIND: Kind[Mapping[str, int]] = Kind("moved", APPLICATION, Owner.RECORDS, Mapping[str, int])
"""Objects by cluster, in clusters that were the destination before. Found again when records are copied anew."""

# What is known of whole clusters and groups.
RECORDS_COPIED: Kind[bool] = Kind("records", CLUSTER, Owner.RECORDS, bool)
"""All records of this cluster have been copied since the store was last empty."""
MARKED: Kind[tuple[str, ...]] = Kind("marked", CLUSTER, Owner.RECORDS, tuple[str, ...])
"""The applications whose records, when all were copied, said that they are deleted."""
SEARCHED: Kind[bool] = Kind("searched", CLUSTER, Owner.RECORDS, bool)
"""Its records have been looked through for unfinished deletions since the store was last empty."""
ANSWERED_AT: Kind[float] = Kind("answered", GROUP, Owner.POLL, float)
"""Until when (epoch s) those who asked for a poll were answered."""
FAILURES: Kind[int] = Kind("failures", GROUP, Owner.POLL, int)
"""Failed polls in a row; absent while its repository can be read."""
OUTAGE: Kind[sets.Applications] = Kind(
    "outage",
    GROUP,
    Owner.POLL,
    decode=sets.applications,
    encode=lambda apps: sorted(apps.ids),
    unreadable=sets.applications_unread,
)
"""The applications that were told that their state is unknown."""

# What the catalogue's refresh derives from the manifests. It writes all of it again when a part is unreadable.
GROUP_MEMBERS: Kind[polls.PollGroup] = Kind("group", GROUP, Owner.CATALOGUE, polls.PollGroup)
GROUPS_OF_REPOSITORY: Kind[tuple[str, ...]] = Kind("repository", REPOSITORY, Owner.CATALOGUE, tuple[str, ...])
"""The poll groups that a push there is news for."""
DEPENDANTS: Kind[tuple[str, ...]] = Kind("dependants", APPLICATION, Owner.CATALOGUE, tuple[str, ...])
RECEIVER: Kind[polls.StoredReceiver] = Kind("receiver", ADDRESS, Owner.CATALOGUE, polls.StoredReceiver)


def _catalogue(at: str, content: Any, **rules: Any) -> Kind[Any]:
    return Kind("catalogue", INSTALLATION, Owner.CATALOGUE, content, at=at, **rules)


def _something(_value: Any, reason: str) -> str:
    return f"What is stored about the catalogue cannot be read ({reason})."


REFRESH_BEGUN: Kind[tuple[str, str]] = _catalogue("begun", tuple[str, str])
"""What a refresh began with: digests of the files, and of what they refer to."""
REFRESH_DONE: Kind[tuple[str, str]] = _catalogue("seen", tuple[str, str])
"""What a refresh ended with. Both must speak of what is there now: a store emptied in between has only this one."""
PARTIAL_REFRESH: Kind[sets.Applications] = _catalogue(
    "half",
    None,
    decode=sets.applications,
    encode=lambda apps: sorted(apps.ids),
    unreadable=sets.applications_unread,
)
"""Applications that a refresh has stored and not enrolled, if it died in between."""
CATALOGUE_ERROR: Kind[str] = _catalogue("error", str, unreadable=_something)
"""Why the catalogue cannot be read; absent while it can."""
INCOMPLETE: Kind[str] = _catalogue("incomplete", str, unreadable=_something)
"""The first error in the last catalogue that was read, which holds deletions back; absent when it had none."""
REJECTED: Kind[tuple[str, ...]] = _catalogue("rejected", tuple[str, ...])
"""Applications that were never readable, and are shown with what is wrong."""
GROUPS: Kind[tuple[str, ...]] = _catalogue("groups", tuple[str, ...])
RECEIVERS: Kind[tuple[str, ...]] = _catalogue("receivers", tuple[str, ...])
EXTERNAL_INPUTS: Kind[polls.ExternalInputs] = _catalogue("outside", polls.ExternalInputs)
REMARKS: Kind[polls.CatalogueRemarks] = _catalogue("remarks", polls.CatalogueRemarks)

EVENT_CURSOR: Kind[str] = Kind(
    "event-cursor", "the name of an event sink", Owner.DELIVERY, str, unreadable=lambda _value, _reason: ""
)
"""The id of the last event that the sink was given. Unreadable, the sink is given the whole stream once more."""

SETTINGS: Kind[SettingsVersion] = Kind("settings", INSTALLATION, Owner.SETTINGS, SettingsVersion, at="")
"""The settings in force, by their digest."""

KINDS: tuple[Kind[Any], ...] = tuple(value for value in tuple(globals().values()) if isinstance(value, Kind))
