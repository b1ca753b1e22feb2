"""The C library's memory, kept small in processes with many threads."""

from __future__ import annotations

import contextlib
import ctypes

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


def share_one_arena() -> None:
    """Let all threads allocate from one arena; before the first thread starts.

    By default glibc gives each thread one of its own, up to eight per core, and none gives back what it once needed:
    10 MB in two workers. Python's lock lets only one of our threads allocate at a time anyway. Other C libraries do
    not know the call, and nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
