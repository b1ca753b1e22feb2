"""What an installation's `argocd-cm` says about all Argo CD applications: kinds to leave alone, tools, refusals."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.text.globs import matches_text


@dataclass(frozen=True, slots=True)
class KindRule:
    """An entry of `resource.exclusions` or `resource.inclusions`; an empty part means all."""

    groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    """Globs over the destination's server."""

    def fits(self, group: str, kind: str, cluster: ClusterIdentity) -> bool:
        """Whether the entry means this kind on this cluster."""
        return (
            (not self.groups or any(matches_text(glob, group) for glob in self.groups))
            and (not self.kinds or "*" in self.kinds or kind in self.kinds)
            and self.reaches(cluster)
        )

    def reaches(self, cluster: ClusterIdentity) -> bool:
        """Whether the entry is about this cluster."""
        return not self.clusters or any(matches_text(glob, url) for glob in self.clusters for url in cluster.servers)


ALWAYS = (KindRule(("events.k8s.io", "metrics.k8s.io")), KindRule(("",), ("Event",)))
"""What Argo CD excludes whatever its settings say (`util/settings/resources_filter.go`)."""


class Scope(enum.StrEnum):
    """Which applications a setting concerns."""

    EVERY = "every application"
    KUSTOMIZE = "every application that uses kustomize"
    HELM = "every application that uses helm"
    AGGREGATED_ROLES = "applications with an aggregated ClusterRole"
    NONE = "no application"


@dataclass(frozen=True, slots=True)
class Unheeded:
    """A setting that this version does not do: the key, whom it concerns, and what to do."""

    key: str
    scope: Scope
    advice: str

    def __str__(self) -> str:
        """One sentence for people."""
        return f"argocd-cm: {self.key} is not done here and concerns {self.scope}: {self.advice}"


@dataclass(frozen=True, slots=True)
class Installation:
    """All of it; the default is what an empty `argocd-cm` says."""

    exclusions: tuple[KindRule, ...] = ()
    inclusions: tuple[KindRule, ...] = ()
    load_anywhere: bool = False
    """`kustomize.buildOptions: --load-restrictor LoadRestrictionsNone`."""
    in_cluster: bool = True
    """`cluster.inClusterEnabled`."""
    unheeded: tuple[Unheeded, ...] = ()

    def excludes(self, group: str, kind: str, cluster: ClusterIdentity) -> str:
        """The key that takes a kind out of sight on a cluster; "" where none does."""
        if any(rule.fits(group, kind, cluster) for rule in (*ALWAYS, *self.exclusions)):
            return "resource.exclusions"
        if any(rule.fits(group, kind, cluster) for rule in self.inclusions):
            return ""
        return "resource.inclusions" if any(rule.reaches(cluster) for rule in self.inclusions) else ""

    def refuse(self, *scopes: Scope) -> None:
        """Raise InvalidManifest for the first setting about these applications that is not done."""
        for setting in self.unheeded:
            if setting.scope in scopes:
                raise InvalidManifest(f"{setting}.")
