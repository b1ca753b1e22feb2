"""A fleet to which nothing happens, over a real API server: an hour of looks leaves no line of the log and no event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.testing import capture_logs

from gitops_workers.core.model import Dialect
from gitops_workers.core.scheduling.poll_groups import cluster_group
from tests.integration.sync.yard import Yard, config_map

HOUR = 3600.0


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    clear_contextvars()
    with capture_logs(processors=[merge_contextvars]) as found:
        yield found
    clear_contextvars()


@pytest.mark.parametrize("dialect", list(Dialect))
def test_an_hour_of_quiet_polls_gives_no_line_and_no_event(yard: Yard, lines: list[Any], dialect: Dialect) -> None:
    app = yard.adopt(dialect)
    yard.commit(config_map("a", v="1"))
    yard.until_synced()
    yard.run(60.0)
    events, said, checked = yard.state.events(), len(lines), yard.status(app).last_checked_at
    done = yard.run(HOUR)
    assert done.count(f"poll {cluster_group('east')}") >= 10
    assert yard.status(app).last_checked_at > checked
    assert [line for line in lines[said:] if line["log_level"] != "debug"] == []
    assert yard.state.events() == events
