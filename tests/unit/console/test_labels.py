"""What people read on the pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gitops_workers.console import labels
from gitops_workers.core.model import HealthStatus, Phase, SyncStatus

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (1, "1 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (200, "3 min ago"),
        (3_599, "59 min ago"),
        (7_200, "2 h ago"),
        (86_400 * 40, "40 d ago"),
        (-20, "in 20 s"),
        (-90, "in 1 min"),
    ],
)
def test_an_age_is_said_in_one_unit(seconds, text):
    at = (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    assert labels.age(at, NOW) == text


def test_the_absolute_time_stands_in_the_title():
    assert labels.absolute("2026-11-23T11:00:00+01:00") == "2026-11-23 10:00:00 UTC"
    assert labels.absolute("2026-11-23T10:00:00.123Z") == "2026-11-23 10:00:00 UTC"


@pytest.mark.parametrize("text", ["", "soon", "<b>"])
def test_what_is_no_time_stays_what_it_is(text):
    assert labels.age(text, NOW) == labels.absolute(text) == text


def test_every_word_of_a_status_has_a_colour():
    words = [*SyncStatus, *HealthStatus, *Phase]
    neutral = {word.value for word in words if labels.colour(word.value) == "neutral"}
    assert neutral == {"Unknown", "Suspended"}


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://git.example.com/a.git", "https://git.example.com/a.git"),
        ("http://git.example.com/a", "http://git.example.com/a"),
        ("https://user:canary@git.example.com/a", "https://git.example.com/a"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("java\nscript:alert(1)", ""),
        ("https://", ""),
        ("https://git.example.com/\x1b]8;;x", ""),
        ("https://git.example.com/\u202egnp", ""),
        ("git@github.com:org/app", ""),
        ("https://[broken/", ""),
    ],
)
def test_only_web_addresses_become_links(url, link):
    assert labels.safe_link(url) == link


def test_hidden_marks_are_made_visible():
    assert labels.plain("a\x1b]8;;b\u202ec\u200bd") == "a\ufffd]8;;b\ufffdc\ufffdd"
    assert labels.plain("two\nlines\tönly") == "two\nlines\tönly"


@pytest.mark.parametrize(
    ("revision", "text"), [("a" * 40, "a" * 8), ("b" * 64, "b" * 8), ("v1.2.0", "v1.2.0"), ("", "")]
)
def test_only_commits_are_cut(revision, text):
    assert labels.short(revision) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (0.34, "340 ms"), (12.9, "12 s"), (250, "4 min")])
def test_a_duration_is_said_in_one_unit(seconds, text):
    assert labels.duration(seconds) == text


def test_the_command_to_type_is_quoted():
    assert labels.sync_command("application/argocd/a") == "gitops-workers app sync application/argocd/a"
    assert labels.sync_command("a; rm -rf /") == "gitops-workers app sync 'a; rm -rf /'"


def test_the_lines_of_a_diff_are_told_apart():
    assert labels.diff_lines("@@ 1\n-a\n+b\n c") == [
        ("hunk", "@@ 1"),
        ("removed", "-a"),
        ("added", "+b"),
        ("same", " c"),
    ]
