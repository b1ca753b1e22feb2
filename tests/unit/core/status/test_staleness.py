"""When a row is too old to be believed."""

from dataclasses import replace

import pytest

from gitops_workers.core.status.rows import Status
from gitops_workers.core.status.staleness import is_stale
from gitops_workers.core.text.timefmt import stamp

NOW = 1_800_000_000.0
ROW = Status(
    "application/argocd/a", "argocd", "default", "prod", "shop", "https://git.example/a.git", ".", interval=180.0
)


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({"last_checked_at": stamp(NOW - 359)}, False),
        ({"last_checked_at": stamp(NOW - 361)}, True),
        ({"last_checked_at": stamp(NOW + 90)}, False),
        ({"last_checked_at": stamp(NOW - 361), "interval": 600.0}, False),
        ({"last_checked_at": stamp(NOW - 59), "interval": 1.0}, False),
        ({"last_checked_at": stamp(NOW - 61), "interval": 1.0}, True),
        ({"last_checked_at": stamp(NOW - 9_999), "suspended": True}, False),
        ({"last_checked_at": stamp(NOW - 9_999), "interval": 0.0}, False),
        ({"changed_at": stamp(NOW - 100)}, False),
        ({"changed_at": stamp(NOW - 9_999)}, True),
    ],
)
def test_a_row_is_stale_when_twice_its_interval_has_passed_without_a_look(changes, stale):
    assert is_stale(replace(ROW, **changes), NOW) is stale
