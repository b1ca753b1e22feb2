"""How single values are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitops_workers.cli.cells import age, revision, short

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-11-23T11:59:58Z", "2s"),
        ("2026-11-23T11:00:00.500Z", "59m"),
        ("2026-11-23T02:00:00Z", "10h"),
        ("2026-11-01T12:00:00+00:00", "22d"),
        ("2026-11-23T12:00:05Z", "0s"),
        ("", "-"),
        (None, "-"),
        ("no time", "no time"),
    ],
)
def test_age_is_the_largest_unit_that_fits(at: str | None, text: str) -> None:
    assert age(at, NOW) == text


def test_a_commit_is_cut_and_a_name_is_not() -> None:
    assert short(COMMIT) == "01234567"
    assert short("v1.2.0-rc.1") == "v1.2.0-rc.1"
    assert revision("main", COMMIT) == "main (01234567)"
    assert revision("", COMMIT) == "01234567"
