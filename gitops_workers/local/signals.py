"""Ending by signal: the first asks, the second insists."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


class Asked(BaseException):
    """Somebody asked us to end. No `Exception`, so that nothing on the way takes it for a failure of its own."""


def end_when_asked() -> None:
    """From now on TERM, INT and HUP raise Asked in the main thread, wherever it is, so that `with` blocks end.

    A user who asks twice does not want to wait: this process ends at once, and the kernel ends its children.
    """
    asked = False

    def ask(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        # The signal may have come in the middle of a print, which must not be entered a second time.
        with contextlib.suppress(OSError):
            os.write(1, b"ending; once more to end at once\n")
        raise Asked

    for number in _ENDING:
        signal.signal(number, ask)


def end_with_parent() -> None:
    """Have the kernel ask us to end when our parent does: for a program that `make` runs."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGTERM))
        if os.getppid() != parent:
            raise SystemExit(1)
