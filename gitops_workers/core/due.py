"""When to look again: interval, spread and backoff, as seconds from now.

Pure: the randomness of a jitter is a hash of a seed that the caller names, so that the same application at the same
attempt always gets the same answer, and ten thousand of them spread evenly. Who keeps the times is the due queue.
"""

from __future__ import annotations

import hashlib

from gitops_workers.core import errors, model

REFUSED_SECONDS = 600.0
"""Nothing but a change helps a refusal, but what a change is may lie outside of what we watch (a CRD, a quota)."""


def next_poll(interval: float, jitter: float, seed: str) -> float:
    """Seconds until the next poll: `interval` plus a part of `jitter` (Argo CD: 120 s + up to 60 s).

    A seed should hold the group and the round, or the same group is always late by the same part.

    >>> next_poll(120, 0, "x")
    120.0
    """
    return interval + jitter * _fraction(seed)


def first_offset(group: str, interval: float) -> float:
    """Seconds until a group is polled for the first time, in [0, interval): a restart is no stampede."""
    return interval * _fraction(group)


def backoff(retry: model.Retry, failures: int) -> float | None:
    """Seconds to wait after so many failures in a row; None when the policy's limit is used up.

    >>> [backoff(model.Retry(limit=3, first=5, factor=2, maximum=12), n) for n in (1, 2, 3, 4)]
    [5.0, 10.0, 12.0, None]
    """
    if retry.limit >= 0 and failures > retry.limit:
        return None
    try:
        delay = retry.first * retry.factor ** max(0, failures - 1)
    except OverflowError:
        delay = retry.maximum
    return float(min(retry.maximum, delay))


def after_error(error: errors.GitOpsError, retry: model.Retry, failures: int) -> float:
    """Seconds until an attempt that ended with this error is worth repeating.

    Superseded: now, for the newer generation. Throttled: at least what the server named. Refused: rarely, because
    input that was refused stays refused. Else backoff, which goes on at its maximum when the limit is used up.
    """
    if isinstance(error, errors.Superseded):
        return 0.0
    if isinstance(error, errors.Refused):
        return max(REFUSED_SECONDS, retry.maximum)
    delay = backoff(retry, failures)
    if delay is None:
        delay = retry.maximum
    if isinstance(error, errors.Throttled):
        return max(delay, error.retry_after)
    return delay


def _fraction(seed: str) -> float:
    """A number in [0, 1) that is fixed for the seed and even over many seeds."""
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=6).digest(), "big") / 2**48
