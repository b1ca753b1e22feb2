"""The git program, run the only way this project runs it.

A fixed argv with an absolute path, every setting that could run something switched off, nothing of the worker's
environment, a deadline, a bound on output and on files, and a process group that is killed whole. What comes back is
bytes and an exit status; nobody else starts git.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.core.errors import Refused, SourceUnavailable

FLOOR = (2, 39)
"""`cat-file --batch-command`, `http.curloptResolve` and the fixes up to CVE-2022-41903 need it."""
STDERR_BYTES = 65_536
"""What is kept of a program's complaints, from the end: git says last what went wrong."""

_CONFIG = {
    "core.hooksPath": "/dev/null",
    "core.symlinks": "false",
    "core.fsmonitor": "false",
    "core.askPass": "",
    "core.sshCommand": "",
    "credential.helper": "",
    "protocol.ext.allow": "never",
    "fetch.fsckObjects": "true",
    "transfer.fsckObjects": "true",
    # Slips of old tools that are in the history of many honest repositories; nothing follows from them here.
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    "fetch.fsck.badTimezone": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "fetch.unpackLimit": "1",  # a pack per fetch; loose objects would be a file and an inode each
    "transfer.bundleURI": "false",  # a server must not send us to another host
    "http.followRedirects": "false",
    "http.sslVerify": "true",
    "http.lowSpeedLimit": "1000",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
# A killed worker must leave neither git nor its helpers (git-remote-https, ssh) behind, which the kernel's death signal
# does not reach: they would hold a credential until the server hangs up. A watcher in the group reads a pipe that only
# the worker holds: at its end, all of them go.
_GUARD = (
    'ulimit -f "$1"; shift; exec 9<&0 </dev/null; '
    "(read -r _ <&9; kill -KILL 0) >/dev/null 2>&1 & watcher=$!; "
    '"$@" 9<&-; status=$?; kill -KILL $watcher; wait $watcher 2>/dev/null; exit $status'
)
_PROXIES = ("HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run left behind. `error` is stderr, decoded and not yet scrubbed; `trace` what git traced, if asked to."""

    status: int
    output: bytes
    error: str
    trace: bytes = b""


class DeadlinePassed(SourceUnavailable):
    """The program was stopped because it had not ended in time."""


class GitProgram:
    """Runs git; safe to share between threads."""

    def __init__(self, settings: GitSettings, home: Path) -> None:
        """`home` is an existing directory for the child to stand in. Raises Refused when git is missing or too old."""
        self.settings = settings
        self._home = home
        found = shutil.which("git")
        if found is None:
            raise Refused("there is no git program on PATH; install git")
        self._executable = str(Path(found).resolve())
        self.version = self.run(["version"], timeout=30, limit=4_096).output.decode(errors="replace").strip()
        numbers = re.search(r"(\d+)\.(\d+)", self.version)
        if numbers is None or (int(numbers[1]), int(numbers[2])) < FLOOR:
            raise Refused(f"git is {self.version!r}; install git {FLOOR[0]}.{FLOOR[1]} or newer")

    def argv(self, arguments: Sequence[str]) -> list[str]:
        """The whole command line of a child that is not guarded by `run`: it ends with the thread that starts it."""
        return [*_death_signal(), *self._argv(arguments)]

    def _argv(self, arguments: Sequence[str], config: Sequence[str] = ()) -> list[str]:
        """`config` are further `name=value` settings without any secret."""
        stall = f"http.lowSpeedTime={self.settings.stall_seconds}"
        options = [f"{name}={value}" for name, value in _CONFIG.items()]
        settings = [part for option in (*options, stall, *config) for part in ("-c", option)]
        return [self._executable, "--no-pager", "--no-replace-objects", *settings, *arguments]

    def environment(self, extra: Mapping[str, str] | None = None, protocols: str = "none") -> dict[str, str]:
        """Everything a child sees. `protocols` is what git may speak, colon-separated; reading needs none."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "XDG_CONFIG_HOME": str(self._home),
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": protocols,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            **(extra or {}),
        }

    def run(
        self,
        arguments: Sequence[str],
        *,
        timeout: float,
        limit: int,
        config: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> Finished:
        """Run to the end and return what it said. Raises DeadlinePassed; SourceUnavailable past the output limit."""
        deadline = time.monotonic() + timeout
        argv = self._argv(arguments, config)
        blocks = str(self.settings.max_pack_bytes // 512)
        guarded = ["/bin/sh", "-c", _GUARD, "git-guard", blocks, *argv]
        with self._started(guarded, environment or self.environment(), descriptors) as process:
            output, error = _read(process, deadline, limit, arguments[0])
            try:
                status = process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise DeadlinePassed(f"git {arguments[0]} was stopped after {timeout:.0f} s") from None
        return Finished(status, output, error.decode(errors="replace"))

    @contextlib.contextmanager
    def _started(
        self, argv: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]
    ) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=self._home,
            pass_fds=descriptors,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            # Helpers (ssh, index-pack) go with it. Once the leader is reaped its number may be somebody else's group.
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


def proxied() -> bool:
    """Whether the operator sends http(s) through a proxy."""
    return any(os.environ.get(name) for name in _PROXIES if "NO" not in name.upper())


def proxy_environment() -> dict[str, str]:
    """The proxy variables of the worker: the one thing of its environment that a request to a server needs."""
    return {name: os.environ[name] for name in _PROXIES if name in os.environ}


@functools.cache
def _death_signal() -> tuple[str, ...]:
    """What makes the kernel end a child whose parent died: a `kill -9` of a worker must not leave a fetch behind.

    A program in front of git and no code between fork and exec: a worker has threads, and Python there can deadlock.
    """
    setpriv = shutil.which("setpriv")
    prefix = (setpriv, "--pdeathsig", "KILL") if setpriv else ()
    works = prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False, timeout=30).returncode == 0
    return prefix if works else ()


def _read(process: subprocess.Popen[bytes], deadline: float, limit: int, what: str) -> tuple[bytes, bytes]:
    """Both pipes to their ends, within the deadline and the limit."""
    assert process.stdout is not None
    assert process.stderr is not None
    output, error = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output)
        selector.register(process.stderr, selectors.EVENT_READ, error)
        while selector.get_map():
            left = deadline - time.monotonic()
            ready = selector.select(left) if left > 0 else []
            if not ready:
                raise DeadlinePassed(f"git {what} gave no answer in time and was stopped")
            for key, _ in ready:
                part = os.read(key.fd, 1 << 16)
                if not part:
                    selector.unregister(key.fileobj)
                key.data.extend(part)
            if len(output) > limit:
                raise SourceUnavailable(f"git {what} answered more than {limit >> 20} MiB and was stopped")
            del error[:-STDERR_BYTES]
    return bytes(output), bytes(error)
