"""From a source to objects: closures, renders, and what renders read besides files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.objects import Manifest
from gitops_workers.core.render.render_spec import Pairs, RenderSpec, SecretRef
from gitops_workers.ports.sources import TreeEntry


@dataclass(frozen=True, slots=True)
class Closure:
    """Every file a render reads, by content; all of it is in the digest.

    `entries` are the files that the analysis found, links followed. `whole`: the render may read more than that can be
    told, so `others` has the rest of the commit, and `unreadable` what of it cannot be read, as (path, reason).
    """

    tool: str
    """The renderer's name for it."""
    path: str
    entries: tuple[TreeEntry, ...]
    digest: str
    whole: bool = False
    others: tuple[TreeEntry, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    repositories: tuple[str, ...] = ()
    """URLs of the submodules that were read."""


class Closures(Protocol):
    """Finds the inputs of a render from git trees."""

    def closure(
        self,
        source: SourceSpec,
        render: RenderSpec,
        resolved: Resolved,
        app_name: str,
        permits: Callable[[str], bool] = ...,
    ) -> Closure:
        """The inputs of this source at this commit. Raises RenderFailed (path missing, link out of the tree ...).

        `permits` says whether a submodule may be fetched from a URL; else PolicyRefused is raised.
        """


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What a render reads besides its files. `variables` may hold secret values: never logged, never stored."""

    app_name: str
    app_namespace: str
    project: str
    namespace: str
    """The destination namespace: Helm's release namespace."""
    resolved: Resolved
    kube_version: str
    api_versions: tuple[str, ...]
    variables: Pairs = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of a source, in the tool's order. `digest` names inputs and result; `cached` for the accounts."""

    digest: str
    objects: tuple[Manifest, ...]
    cached: bool = False
    remarks: tuple[str, ...] = ()
    """Sentences about what upstream takes without a word, and people should know."""
    repeated: tuple[str, ...] = ()
    """Sentences about objects that stand twice, of which the last counts because the application asks for that."""


class Renderer(Protocol):
    """Turns a closure into objects in a limited child process; equal inputs share one render."""

    def render(self, source: SourceSpec, render: RenderSpec, closure: Closure, context: RenderContext) -> Rendered:
        """Raises RenderFailed with the tool's own words, UnsafeContent for attacks."""


class Secrets(Protocol):
    """Secrets and ConfigMaps that manifests refer to (GITOPS_SECRETS, and the catalogue for ConfigMaps)."""

    def read(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """The object's data, decoded; None when it does not exist."""
