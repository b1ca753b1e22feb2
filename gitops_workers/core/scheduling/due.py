"""When to look again: interval, spread and backoff, as seconds from now.

Pure: the randomness of a jitter is a hash of a seed that the caller names, so that the same application at the same
attempt always gets the same answer, and ten thousand of them spread evenly. The due queue keeps the times.
"""

from __future__ import annotations

import hashlib

from gitops_workers.core.sync.sync_policy import Retry


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


def retry_pause(retry: Retry, failures: int) -> float:
    """Seconds to wait after so many failures in a row. There is no last try.

    Argo CD gives a commit up after `limit` retries, and only a new commit or a human gets it going again (argo-cd 18442
    asks for what we do): `limit` is how many retries are quick here, and after them it goes on at the longest pause. A
    limit of 0, also a `retry` without one, has no quick ones; -1 has nothing but the backoff, which ends there, too.

    >>> [retry_pause(Retry(limit=3, first=5, factor=2, maximum=120), n) for n in (1, 2, 3, 4)]
    [5.0, 10.0, 20.0, 120.0]
    """
    if 0 <= retry.limit < failures:
        return float(retry.maximum)
    try:
        delay = retry.first * retry.factor ** max(0, failures - 1)
    except OverflowError:
        delay = retry.maximum
    return float(min(retry.maximum, delay))


def _fraction(seed: str) -> float:
    """A number in [0, 1) that is fixed for the seed and even over many seeds."""
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=6).digest(), "big") / 2**48
