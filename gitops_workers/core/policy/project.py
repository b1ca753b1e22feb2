"""What an Argo CD project allows: sources, destinations, kinds, and when (AppProject)."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class WindowKind(enum.StrEnum):
    """What a sync window does while it is open."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class SyncWindow:
    """A sync window of a project. `schedule` is a cron expression of five fields, `duration` in seconds.

    It is for an application that one of the globs means; with `every` all kinds of globs that are given must.
    """

    kind: WindowKind
    schedule: str
    duration: float
    time_zone: str = "UTC"
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    every: bool = False
    manual: bool = False
    """A human may sync in spite of it."""
    overrun: bool = False
    """A sync that began legally may go on."""


@dataclass(frozen=True, slots=True)
class AllowedDestination:
    """A place that a project's applications may deploy to; globs, one that begins with `!` denies."""

    server: str = ""
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class KindRule:
    """Kinds by globs; `name` of single objects, "" for all."""

    group: str
    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """What the applications of an AppProject may do. `namespaced_allowed` None means every namespaced kind."""

    name: str
    namespace: str = "argocd"
    source_repos: tuple[str, ...] = ()
    source_namespaces: tuple[str, ...] = ()
    destinations: tuple[AllowedDestination, ...] = ()
    cluster_allowed: tuple[KindRule, ...] = ()
    cluster_denied: tuple[KindRule, ...] = ()
    namespaced_allowed: tuple[KindRule, ...] | None = None
    namespaced_denied: tuple[KindRule, ...] = ()
    windows: tuple[SyncWindow, ...] = ()
