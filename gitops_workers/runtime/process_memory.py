"""Memory of processes that live for months, kept small before their first import and their first thread."""

from __future__ import annotations

import contextlib
import ctypes
import sys

_ARENA_MAX = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


def stay_small() -> None:
    """What each of our processes does first of all."""
    _share_one_arena()
    # structlog imports rich wherever it finds it, for tracebacks in colour that nobody sees: 4.5 MB in each process.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None is how Python says "not here"


def _share_one_arena() -> None:
    """Let all threads allocate from one arena; before the first thread starts.

    By default glibc gives each thread one of its own, up to eight per core, and none gives back what it once needed:
    10 MB in two workers. Python's lock lets only one of our threads allocate at a time anyway. Other C libraries do
    not know the call, and nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
