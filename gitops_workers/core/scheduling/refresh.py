"""A fresh look that somebody asked for, from the request to its answer.

Between two looks an object is skipped while its resourceVersion is the one that was agreed. That is a hint, and a poll
finds out later where it was wrong. A user who asks for a refresh is promised the live state of now, so the attempt that
serves the request asks the cluster for every object, for the record and for the kinds that are served.

Documents `refresh/<app>` are written by those who ask, documents `refreshed/<app>` by the engine alone. Times are epoch
seconds of the queue's clock.
"""

from __future__ import annotations

from gitops_workers.core.documents.wills import RefreshAnswer, RefreshRequest


def is_pending(asked: RefreshRequest | None, answered: RefreshAnswer | None) -> bool:
    """Whether a request has not been served by a comparison yet; one that failed is still to be served."""
    if asked is None:
        return False
    return answered is None or bool(answered.reason) or bool(asked.problem) or answered.at < asked.at


def reason_of(answered: RefreshAnswer | None, asked_at: float) -> str | None:
    """Why an attempt that began after `asked_at` compared nothing, "" when it compared; None when none has ended."""
    if answered is None or answered.at < asked_at:
        return None
    return answered.reason
