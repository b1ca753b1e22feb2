"""A seccomp filter: system calls that this process, and every program that it starts, is refused from now on.

It needs no namespace and no right, only `no_new_privs`, and works in a container where `unshare` is forbidden.
Numbers: `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h` of Linux.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable

_X86, _ARM = 0xC000003E, 0xC00000B7
"""AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64."""

_NUMBERS: dict[str, tuple[int, int]] = {
    "socket": (41, 198),
    "ptrace": (101, 117),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "io_uring_setup": (425, 425),
    "pidfd_getfd": (438, 438),
}
"""Number on x86-64, number on arm64."""

ESCAPES = tuple(_NUMBERS)
"""Whatever leads to a network or out of the root: sockets of every family, since a unix socket of the host is a way
out, too; io_uring, which opens sockets without `socket`; and the calls that borrow what another process has."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_X32 = 0x40000000
"""Bit of the numbers of a second ABI that an x86-64 kernel may serve."""
_SET_SECCOMP, _FILTER = 22, 2


def refuse(names: Iterable[str], *, error: int = errno.EACCES) -> bool:
    """Let these calls fail with `error`, those of foreign ABIs too; whether the kernel took the filter."""
    column = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
    if column is None or struct.calcsize("P") != 8:
        return False
    return install((_X86, _ARM)[column], [_NUMBERS[name][column] for name in names], error)


def install(architecture: int, numbers: list[int], error: int) -> bool:
    """Refuse calls by their numbers in `architecture` (AUDIT_ARCH); whether the kernel took the filter."""
    code = _program(architecture, numbers, error)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.c_char_p(header), 0, 0) == 0)


def _program(architecture: int, numbers: list[int], error: int) -> bytes:
    """Return the classic BPF program: each instruction is (code, jump if true, jump if false, operand)."""
    checks: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture)]
    checks += [(_RETURN, 0, 0, _REFUSE | error), (_LOAD, 0, 0, _NUMBER)]
    left = len(numbers)  # comparisons that follow, then "allow", then "refuse"
    checks.append((_AT_LEAST, left + 1, 0, _X32))
    for number in numbers:
        checks.append((_EQUAL, left, 0, number))
        left -= 1
    checks += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE | error)]
    return b"".join(struct.pack("HBBI", *one) for one in checks)
