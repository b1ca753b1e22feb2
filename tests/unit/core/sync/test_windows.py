"""Sync windows: Argo CD's decision, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.policy.project import Project, SyncWindow, WindowKind
from gitops_workers.core.sync.windows import forbidden, windows_for, with_window_condition
from tests.unit.core.making import application

NOW, BEGAN = 1000.0, 900.0


def window(
    kind: str, *, open_: bool, was: bool | None = None, manual: bool = False, overrun: bool = False
) -> SyncWindow:
    """A window that is open or shut now, and (`was`) the other way when the sync began."""
    states = f"{open_} {open_ if was is None else was}"
    return SyncWindow(WindowKind(kind), states, 60.0, manual=manual, overrun=overrun)


def is_open(found: SyncWindow, moment: float) -> bool:
    now, then = found.schedule.split()
    return (now if moment == NOW else then) == "True"


def verdict(*windows: SyncWindow, manual: bool = False, going: bool = False) -> bool:
    return not forbidden(windows, NOW, is_open, manual=manual, started_at=BEGAN if going else None)


ALLOW, SHUT_ALLOW = window("allow", open_=True), window("allow", open_=False)
DENY, SHUT_DENY = window("deny", open_=True), window("deny", open_=False)


@pytest.mark.parametrize(
    ("windows", "allowed"),
    [
        ((), True),
        ((ALLOW,), True),
        ((SHUT_ALLOW,), False),
        ((SHUT_ALLOW, ALLOW), True),
        ((DENY,), False),
        ((SHUT_DENY,), True),
        ((DENY, ALLOW), False),
        ((SHUT_DENY, SHUT_ALLOW), False),
        ((SHUT_DENY, ALLOW), True),
    ],
)
def test_who_may_sync_by_himself(windows: tuple[SyncWindow, ...], allowed: bool):
    assert verdict(*windows) is allowed


@pytest.mark.parametrize(
    ("windows", "allowed"),
    [
        ((window("deny", open_=True, manual=True),), True),
        ((window("deny", open_=True, manual=True), DENY), False),
        ((window("deny", open_=True, manual=True), SHUT_DENY), True),
        ((window("allow", open_=False, manual=True),), True),
        ((window("allow", open_=False, manual=True), SHUT_ALLOW), False),
        ((DENY, window("allow", open_=True, manual=True)), False),
    ],
)
def test_a_human_may_sync_when_all_windows_in_the_way_say_so(windows: tuple[SyncWindow, ...], allowed: bool):
    assert verdict(*windows, manual=True) is allowed
    assert not verdict(*windows)


@pytest.mark.parametrize(
    ("windows", "allowed"),
    [
        ((window("allow", open_=False, was=True, overrun=True),), True),
        ((window("allow", open_=False, was=True),), False),
        ((window("allow", open_=False, was=False, overrun=True),), False),
        ((window("deny", open_=True, was=False, overrun=True),), True),
        ((window("deny", open_=True, was=False, overrun=True), DENY), False),
        ((window("deny", open_=True, was=True, overrun=True),), False),
    ],
)
def test_a_sync_goes_on_when_it_began_legally_and_the_windows_let_it_overrun(
    windows: tuple[SyncWindow, ...], allowed: bool
):
    assert verdict(*windows, going=True) is allowed


def test_a_sync_that_a_human_began_legally_may_overrun():
    shut = window("deny", open_=True, was=True, manual=True, overrun=True)

    assert verdict(shut, window("deny", open_=True, was=False, overrun=True), manual=True, going=True)


@pytest.mark.parametrize(
    ("globs", "means"),
    [
        ({"applications": ("w*",)}, True),
        ({"applications": ("api",)}, False),
        ({"applications": ("{api,w*}",)}, True),
        ({"namespaces": ("{shop,bar}",), "clusters": ("{east,west}",), "every": True}, True),
        ({"namespaces": ("shop",)}, True),
        ({"clusters": ("east",)}, True),
        ({"clusters": ("https://east.*",)}, True),
        ({"clusters": ("HTTPS://East.example:443/",)}, True),
        ({"clusters": ("in-cluster",)}, True),
        ({"applications": ("api",), "namespaces": ("shop",)}, True),
        ({"applications": ("api",), "namespaces": ("shop",), "every": True}, False),
        ({"applications": ("web",), "namespaces": ("shop",), "every": True}, True),
        ({}, False),
    ],
)
def test_which_applications_a_window_is_for(globs: dict[str, Any], means: bool):
    rule = replace(ALLOW, **globs)
    app = replace(application(), limits=Project("shop", windows=(rule,)))

    east = ClusterIdentity("east", frozenset({"east", "in-cluster"}), frozenset({"https://east.example"}))
    assert bool(windows_for(app, east)) is means


def test_a_window_is_told_with_its_time_zone_where_that_is_not_utc():
    window = SyncWindow(WindowKind.DENY, "0 13 * * *", 3600.0, "Europe/Vienna")

    assert with_window_condition(window) == "deny '0 13 * * *' for 3600 s in Europe/Vienna"


def test_the_reason_names_the_windows():
    found = forbidden([SHUT_ALLOW], NOW, is_open, manual=False)

    assert found == "Sync window: no allow window is open (allow 'False False' for 60 s)."
