"""One ground for all experiments, and the line that each leaves in build/faults.jsonl."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitops_workers.core.errors import Refused
from tests.conftest import missing
from tests.faults.ground import Ground, running_ground

RESULTS = Path(__file__).parents[2] / "build" / "faults.jsonl"
outcome = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    try:
        with running_ground(tmp_path_factory.mktemp("faults")) as started:
            yield started
    except Refused as reason:
        missing(reason)


@dataclass
class Experiment:
    """What is reported of a test: the fault's number and what was seen."""

    fault: str
    detail: str = ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[outcome] = report.passed
    return report


@pytest.fixture
def experiment(request: pytest.FixtureRequest, ground: Ground) -> Iterator[Experiment]:
    """Begins with both clusters as Git says; ends with a line about the test, whose name begins with the fault's."""
    ground.converge("a good beginning")
    number = request.node.name.split("_")[1].upper()
    found, start = Experiment(number), time.monotonic()
    yield found
    line = {
        "fault": found.fault,
        "passed": request.node.stash.get(outcome, False),
        "seconds": round(time.monotonic() - start, 1),
        "detail": found.detail,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as lines:
        lines.write(json.dumps(line) + "\n")
