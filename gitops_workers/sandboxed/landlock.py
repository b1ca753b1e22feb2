"""Landlock: this process, and every program that it starts, opens files of one folder only.

It needs no namespace and no right, only `no_new_privs`. Source: Linux, `Documentation/userspace-api/landlock.rst`.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""System calls, the same on every architecture."""
_VERSION, _BENEATH = 1, 1
_EXECUTE, _READ_FILE = 1 << 0, 1 << 2
_RIGHTS = {2: (1 << 14) - 1, 3: (1 << 15) - 1}
"""Rights to files by version of the interface: the third one knows truncation."""


def restrict(folder: str, programs: Iterable[int]) -> bool:
    """Leave this process the files of `folder`, and the right to run `programs` (descriptors); whether it worked.

    The first version of the interface (Linux 5.13) forbids the links that a render makes, so it is not used.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _VERSION)
    if version < min(_RIGHTS):
        return False
    rights = _RIGHTS[min(version, max(_RIGHTS))]
    handled = struct.pack("Q", rights)
    rules = libc.syscall(_CREATE, ctypes.c_char_p(handled), len(handled), 0)
    if rules < 0:
        return False
    place = -1
    try:
        place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        allowed = [(place, rights), *((program, _EXECUTE | _READ_FILE) for program in programs)]
        packed = [struct.pack("=Qi", right, descriptor) for descriptor, right in allowed]
        taken = all(libc.syscall(_ADD, rules, _BENEATH, ctypes.c_char_p(rule), 0) == 0 for rule in packed)
        return taken and libc.syscall(_RESTRICT, rules, 0) == 0
    except OSError:
        return False
    finally:
        os.close(rules)
        if place >= 0:
            os.close(place)
