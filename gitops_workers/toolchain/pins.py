"""The programs this project runs, at the versions `go_module/go.mod` pins.

Standard library only: the Makefile and the image build use this before anything is installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.core.errors import Refused

MODULE = Path(__file__).resolve().parent / "go_module"
"""The pinned Go module. Go only reads it, so it may lie in an installation that nobody may write to."""

Version = tuple[int, ...]


class ToolMissing(Refused):
    """A program is neither built nor on PATH at the pinned version."""


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


def known(name: str) -> Tool:
    """The pinned program of this name. Raises ToolMissing."""
    if name not in TOOLS:
        raise ToolMissing(f"{name!r} is no tool of this project; it has {', '.join(TOOLS)}")
    return TOOLS[name]


def _wanted(item: Tool) -> str:
    version = pinned(item.name)
    return "" if version is None else ".".join(version.split(".")[:2])


def pinned(name: str) -> str | None:
    """Return the version go.mod gives a program (without "v"), None when the module is not here."""
    with contextlib.suppress(FileNotFoundError):
        text = (MODULE / "go.mod").read_text()
        if match := re.search(rf"^\s*(?:require )?{re.escape(known(name).module)} v(\S+)", text, re.MULTILINE):
            return match[1]
    return None


def read_version(output: str) -> Version | None:
    """Return the first dotted version in a program's answer, as numbers."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", output)
    return tuple(int(part) for part in match.groups(default="0")) if match else None


def cache() -> Path:
    """Return the directory that holds the built programs."""
    if chosen := os.environ.get("GITOPS_TOOLS"):
        return Path(chosen)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "gitops-workers" / "tools" / _digest(MODULE)


def _digest(module: Path) -> str:
    """Return the name of the cache folder: a digest of everything that decides what is built."""
    digest = hashlib.sha256(repr([(item.package, item.stamp) for item in TOOLS.values()]).encode())
    for path in sorted(path for path in module.rglob("*") if path.name in ("go.mod", "go.sum") or path.suffix == ".go"):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(module)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
