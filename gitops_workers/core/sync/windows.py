"""Sync windows: whether an application may be synced now (argocd.md 1.7). When a window is open is not said here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.model import Application
from gitops_workers.core.policy.allowed_destinations import matches_server
from gitops_workers.core.policy.project import SyncWindow, WindowKind
from gitops_workers.core.text.globs import matches_text

IsOpen = Callable[[SyncWindow, float], bool]
"""Whether a window is open at this moment (epoch seconds)."""
Means = Callable[[str], bool]
"""Whether a glob means the application."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What the windows say at one moment. `reason` is empty when syncing is allowed to everybody."""

    reason: str = ""
    manual: bool = True
    overrun: bool = True


def windows_for(app: Application, cluster: ClusterIdentity) -> tuple[SyncWindow, ...]:
    """The project's windows that mean this application."""
    windows = app.limits.windows if app.limits else ()
    return tuple(window for window in windows if _means(window, app, cluster))


def with_window_condition(window: SyncWindow) -> str:
    """The window in words: `deny '0 13 * * *' for 3600 s in Europe/Vienna`."""
    zone = "" if window.time_zone == "UTC" else f" in {window.time_zone}"
    return f"{window.kind} {window.schedule!r} for {window.duration:g} s{zone}"


def permission(windows: Iterable[SyncWindow], now: float, is_open: IsOpen) -> Permission:
    """An open deny window beats everything, then an open allow window; allow windows that are all shut deny, too."""
    found = tuple(windows)
    opened = [window for window in found if is_open(window, now)]
    denying = [window for window in opened if window.kind is WindowKind.DENY]
    allowing = [window for window in found if window.kind is WindowKind.ALLOW]
    if denying:
        return _blocked("a deny window is open", denying)
    if allowing and not any(window.kind is WindowKind.ALLOW for window in opened):
        return _blocked("no allow window is open", allowing)
    return Permission()


def forbidden(
    windows: Sequence[SyncWindow], now: float, is_open: IsOpen, *, manual: bool, started_at: float | None = None
) -> str:
    """Why a sync may not run now, "" when it may. `started_at` is set for one that is running already."""
    if not windows:
        return ""
    current = permission(windows, now, is_open)
    if not current.reason or (manual and current.manual):
        return ""
    if started_at is not None and current.overrun:
        then = permission(windows, started_at, is_open)
        if not then.reason or (manual and then.manual):
            return ""
    return current.reason


def _blocked(what: str, windows: Sequence[SyncWindow]) -> Permission:
    named = ", ".join(map(with_window_condition, windows[:3]))
    return Permission(
        f"Sync window: {what} ({named}).",
        manual=all(window.manual for window in windows),
        overrun=all(window.overrun for window in windows),
    )


def _means(window: SyncWindow, app: Application, cluster: ClusterIdentity) -> bool:
    """As Argo CD: by any kind of glob, or by all kinds that are given."""
    verdicts = [any(means(glob) for glob in globs) for globs, means in _tests(window, app, cluster) if globs]
    return bool(verdicts) and (all(verdicts) if window.every else any(verdicts))


def _tests(window: SyncWindow, app: Application, cluster: ClusterIdentity) -> tuple[tuple[tuple[str, ...], Means], ...]:
    names = cluster.names | (cluster.others if window.kind is WindowKind.DENY else frozenset())
    return (
        (window.applications, lambda glob: matches_text(glob, app.name)),
        (window.namespaces, lambda glob: matches_text(glob, app.destination.namespace)),
        (window.clusters, lambda glob: _any(glob, names) or matches_server(glob, cluster.servers)),
    )


def _any(glob: str, values: Iterable[str]) -> bool:
    return any(matches_text(glob, value) for value in values)
