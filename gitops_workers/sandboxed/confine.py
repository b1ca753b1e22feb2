"""Taking rights away from this process, as many as the kernel and our user allow; what worked is reported.

Order matters: the namespace first (a user namespace gives the right to chroot), then the root, then the user, then what
needs no right at all (Landlock, seccomp), and the death signal last, because the kernel clears it when credentials
change. Where a container forbids namespaces, the last two still close files and network.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Iterable

from gitops_workers.core.render.isolation import Isolation
from gitops_workers.sandboxed import landlock, system_calls

NOBODY = 65534
"""The user a child of a root worker becomes: files of nobody else can be its."""

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SET_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, however that happens."""
    _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the call
        os._exit(1)


def limit(memory: int, file_size: int, processes: int) -> None:
    """Bound memory (bytes of data), the size of a written file, and threads plus processes of our user."""
    bounds = {
        # Not RLIMIT_AS: Go reserves 600 MB of address space that it never touches.
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_CORE: 0,
    }
    for name, value in bounds.items():
        hard = resource.getrlimit(name)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (bound, bound))


def confine(root: str, parent: int, programs: Iterable[int] = ()) -> Isolation:
    """Leave the network, lock this process into `root`, give up rights; say which of these took effect.

    `programs` are the descriptors of the tools that it may run.
    """
    os.umask(0o077)
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.chown(root, NOBODY, NOBODY)
    network = _unshare()
    chroot = False
    with contextlib.suppress(OSError):
        os.chroot(root)
        chroot = True
    os.chdir("/" if chroot else root)
    dropped = os.geteuid() != 0
    if not dropped:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            dropped = True
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    files = landlock.restrict("/" if chroot else root, programs)
    calls = system_calls.refuse(system_calls.ESCAPES)
    die_with_parent(parent)
    return Isolation(
        network_namespace=network, system_call_filter=calls, chroot=chroot, landlock=files, own_user=dropped
    )


def _unshare() -> bool:
    flags = (_NEW_NETWORK,) if os.geteuid() == 0 else ()
    return any(_libc.unshare(flag) == 0 for flag in (*flags, _NEW_USER | _NEW_NETWORK))
