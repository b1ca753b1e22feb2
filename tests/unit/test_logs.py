"""What a log line shows of an error, in each format."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from gitops_workers import logs
from gitops_workers.settings import Settings

SECRET = "correct-horse-battery"
TOKEN = "hunter2"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_variables_and_no_credentials(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    logs.configure(Settings(log_format=log_format))

    def fails(token: str) -> None:
        raise RuntimeError(f"no answer from https://ann:{SECRET}@git.example/shop.git to {len(token)} characters")

    try:
        fails(TOKEN)
    except RuntimeError:
        structlog.get_logger().exception("attempt_crashed", app="web")
    shown = capsys.readouterr().err
    assert "RuntimeError: no answer from https://" in shown
    assert "in fails" in shown
    assert SECRET not in shown
    assert TOKEN not in shown
