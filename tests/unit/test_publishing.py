"""However the broker fails, whoever has asked is not told of it: what is asked for is stored before."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from amqp.exceptions import RecoverableConnectionError
from kombu.exceptions import InconsistencyError, LimitExceeded, OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from structlog.testing import capture_logs

from gitops_workers.broker import publish
from gitops_workers.ports import TaskMessage

BELL = TaskMessage("poll", "control", "repository/one", 3)


class Celery:
    """As much of a Celery application as publishing uses; raises at one of the places where a broker fails."""

    def __init__(self, error: Exception | None, place: str) -> None:
        self.error, self.place = error, place
        self.sent: list[Any] = []
        self.amqp = self
        self.producer_pool = self
        self.queues: set[str] = set()

    def _fail(self, place: str) -> None:
        if self.error is not None and place == self.place:
            raise self.error

    @contextlib.contextmanager
    def acquire(self, block: bool, timeout: float) -> Iterator[Celery]:  # noqa: ARG002 - kombu's
        self._fail("acquire")
        yield self

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        yield
        self._fail("flush")

    def send_task(self, name: str, args: tuple[str, int], **_: Any) -> None:
        self._fail("send")
        self.sent.append((name, args))


ERRORS = [
    OperationalError("gone"),
    RedisConnectionError("reset by peer"),
    ResponseError("unknown command"),
    LimitExceeded(10),
    InconsistencyError("queue"),
    RecoverableConnectionError("lost"),
    ConnectionResetError(104, "reset by peer"),
    AttributeError("'NoneType' object has no attribute 'client'"),
]


@pytest.mark.parametrize("place", ["acquire", "send", "flush"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_broker_that_fails_is_logged_and_nothing_is_raised(error: Exception, place: str) -> None:
    with capture_logs() as lines:
        assert not publish(Celery(error, place), [BELL])  # as much as is used
    (line,) = lines
    assert (line["event"], line["error"], line["count"]) == ("doorbells_not_sent", type(error).__name__, 1)


def test_a_broker_that_works_gets_a_message_for_each_doorbell() -> None:
    celery = Celery(None, "")
    assert publish(celery, [BELL, BELL])  # as much as is used
    assert celery.sent == [("gitops.poll", ("repository/one", 3))] * 2
