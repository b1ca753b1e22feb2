"""What a module says of the kind of manifest that it reads, and what it may look up while it reads one."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from gitops_workers.core.model import AppId, Application, Dialect
from gitops_workers.core.policy.project import Project
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects.document import Document
from gitops_workers.dialects.field_rules import is_name, is_namespace
from gitops_workers.dialects.fields import ManifestModel, ParseContext

if TYPE_CHECKING:  # kinds are declared beside them
    from gitops_workers.dialects.flux.sources import DeclaredSource, SourceKey
    from gitops_workers.dialects.receivers import Receiver

    Contributed: TypeAlias = Application | DeclaredSource | Project | Receiver


class Contribution(enum.StrEnum):
    """What the manifests of a kind add to the catalogue."""

    SOURCE = "source"
    PROJECT = "project"
    APPLICATION = "application"
    RECEIVER = "receiver"


class References(Protocol):
    """What a manifest may refer to. Of what a kind says that it `refers_to`, all is known when one is read."""

    @property
    def flux_interval(self) -> float:
        """Seconds for a Flux object that names no interval."""

    @property
    def application_kinds(self) -> Collection[str]:
        """With what an application's id can begin: `application`, `kustomization`."""

    def source(self, key: SourceKey) -> DeclaredSource | str:
        """A source, or the reason as a sentence why there is none."""

    def project(self, name: str) -> Project | str | None:
        """A project, the reason as a sentence why it cannot be read, or None where there is none."""

    def config(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """The data of a Secret or ConfigMap; None when it does not exist."""


Parse = Callable[[ParseContext, References], "Collection[Contributed]"]
"""Reads one manifest. Nothing when it has an error; the context then holds all of them."""


@dataclass(frozen=True, slots=True)
class ManifestKind:
    """One kind of manifest that is run. The dialect's policy says how what comes of it behaves (`core.dialect`)."""

    dialect: Dialect
    group: str
    kind: str
    versions: tuple[str, ...]
    """The versions that can be read, the one to write first."""
    namespace: str
    """Where a manifest stands that names no namespace."""
    model: type[ManifestModel]
    contributes: Contribution
    parse: Parse
    refers_to: frozenset[Contribution] = frozenset()
    """What has to be read before it."""
    refuses: tuple[str, ...] = ()
    """Values that this version refuses, in Markdown, where no field as such stands for them."""
    without_effect: tuple[str, ...] = ()
    """The same of what has no effect, and a condition says so."""

    @property
    def api_versions(self) -> tuple[str, ...]:
        """As manifests write them."""
        return tuple(f"{self.group}/{version}" for version in self.versions)

    def application_id(self, namespace: str, name: str) -> AppId:
        """The id of the application that a manifest of this kind declares."""
        return f"{self.kind.lower()}/{namespace or self.namespace}/{name}"

    def declared_id(self, document: Document) -> AppId | None:
        """The same out of a document the rest of which may be wrong; None when it names nothing."""
        name, namespace = document.text("metadata", "name"), document.text("metadata", "namespace")
        if not is_name(name) or not is_namespace(namespace or self.namespace):
            return None
        return self.application_id(namespace, name)
