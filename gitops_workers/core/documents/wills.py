"""What people ask of an application besides a sync: that it rests, that it goes, that it is looked at anew.

Only people's commands write these documents. `problem` is never stored: it says why a document cannot be read, and what
reads it does the safe thing and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gitops_workers.core.documents import codec
from gitops_workers.core.documents.codec import Exact, stored_as
from gitops_workers.core.prune.deletion_request import Cascade


@dataclass(frozen=True, slots=True)
class Override:
    """Whether an application rests, said by hand: it goes before what the manifest says. Unreadable: it rests."""

    suspended: bool
    by: str = ""
    resumed_at: float = field(default=0.0, metadata=stored_as("resumedAt"))
    """When somebody resumed it (epoch s), which ends the pause of a rollback that began before."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DeletionOrder(Exact):
    """A human's order to delete an application: good for the departure that began at `since` (epoch s) only.

    Unreadable: nothing is deleted, for it may have said that the objects stay.
    """

    since: float
    cascade: str
    """A `Cascade`; "" leaves it to the manifest."""
    by: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """Somebody wants a comparison that begins after `at` (epoch s). Unreadable: every attempt is such a comparison."""

    at: float
    by: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RefreshAnswer:
    """The attempt that began at `at` (epoch s) compared everything, or says in `reason` why nothing."""

    at: float
    reason: str


def override_unread(_value: Any, reason: str) -> Override:
    """What was said by hand cannot be read: it may have been that nothing is to be touched."""
    return Override(suspended=True, problem=reason)


def refresh_unread(_value: Any, reason: str) -> RefreshRequest:
    """Somebody asked, and nobody knows when."""
    return RefreshRequest(0.0, problem=reason)


def order_unread(_value: Any, reason: str) -> DeletionOrder:
    """Somebody said how the application is to be deleted, and nobody knows what."""
    return DeletionOrder(0.0, "", "", problem=reason)


def order(value: Any) -> DeletionOrder:
    """The order in JSON data. Raises ValueError, also for a word or a field that this release does not know."""
    found: DeletionOrder = codec.load(DeletionOrder, value, strict=False)
    if found.cascade:
        Cascade(found.cascade)
    return found
