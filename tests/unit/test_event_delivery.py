"""What one sink is given of the event stream: everything in order, at least once, bounded, whatever the sink does."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from gitops_workers.core.documents.kinds import EVENT_CURSOR
from gitops_workers.core.errors import Refused, Retry
from gitops_workers.core.status.rows import Event
from gitops_workers.ports import State
from gitops_workers.runtime import event_delivery
from gitops_workers.runtime.event_delivery import EventDelivery, start_deliveries
from gitops_workers.runtime.meters import ProcessMeter
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config

NAME = "chat"


@dataclass
class Chat:
    """A sink that keeps what it is given, and refuses or fails as told."""

    state: State
    fails: dict[str, Exception] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)

    def deliver(self, event: Event) -> None:
        if event.message in self.fails:
            raise self.fails[event.message]
        self.told.append(event)

    @property
    def messages(self) -> list[str]:
        return [event.message for event in self.told]


@dataclass
class Place:
    lab: Lab = field(default_factory=Lab)
    meter: ProcessMeter = field(default_factory=ProcessMeter)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.chat = Chat(self.lab.state)
        self.delivery = self.process()

    def process(self) -> EventDelivery:
        """The delivery of a worker that has just started."""
        return EventDelivery(NAME, self.chat, self.lab.state, self.lab.queue, self.meter, lambda: self.now)

    def add(self, *messages: str) -> None:
        self.lab.state.add_events([Event("t", "application/argocd/web", "Normal", "R", text) for text in messages])

    def deliver(self) -> bool:
        return self.delivery.deliver(1.0)

    def figures(self) -> dict[str, float]:
        return {sample.figure: amount for sample, amount in self.meter.take().items()}


@pytest.fixture
def place() -> Place:
    found = Place()
    found.deliver()
    return found


def test_a_new_sink_is_told_what_happens_from_now_on() -> None:
    place = Place()
    place.add("before")
    place.deliver()
    place.add("after")
    assert place.deliver()
    assert place.chat.messages == ["after"]


def test_every_event_is_delivered_once_in_order_with_its_id(place: Place) -> None:
    place.add("1", "2")
    place.deliver()
    place.add("3")
    place.deliver()
    place.deliver()
    assert place.chat.messages == ["1", "2", "3"]
    assert [event.id for event in place.chat.told] == [event.id for event in reversed(place.lab.state.events())]
    assert place.figures() == {"gitops_events_delivered_total": 3.0}


def test_another_process_goes_on_where_the_first_one_stopped(place: Place) -> None:
    place.add("1", "2", "3")
    place.chat.fails["2"] = Retry("it is away")
    assert not place.deliver()
    place.chat.fails.clear()
    place.delivery = place.process()
    assert place.deliver()
    assert place.chat.messages == ["1", "2", "3"]


@pytest.mark.parametrize("error", [Retry("it is away"), OSError("https://token@chat.example"), ValueError("a defect")])
def test_a_failure_keeps_the_event_and_names_no_foreign_text(place: Place, error: Exception) -> None:
    place.add("1")
    place.chat.fails["1"] = error
    with capture_logs() as lines:
        assert not place.deliver()
    (line,) = lines
    assert (line["event"], line["sink"]) == ("event_not_delivered", NAME)
    assert "chat.example" not in str(line)
    assert place.figures() == {}


def test_what_a_sink_refuses_is_dropped_counted_and_logged_and_the_next_is_delivered(place: Place) -> None:
    place.add("1", "2", "3")
    place.chat.fails["2"] = Refused("it is too long for a chat")
    with capture_logs() as lines:
        assert place.deliver()
    assert place.chat.messages == ["1", "3"]
    assert place.figures() == {"gitops_events_delivered_total": 2.0, "gitops_events_dropped_total": 1.0}
    (line,) = lines
    assert (line["event"], line["count"], line["reason"]) == ("events_dropped", 1, "it is too long for a chat")


def test_a_sink_that_stays_away_leaves_a_bounded_number_and_the_rest_is_counted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_delivery, "KEPT", 3)
    place.add(*map(str, range(10)))
    assert place.deliver()
    assert place.chat.messages == ["7", "8", "9"]
    assert place.figures()["gitops_events_dropped_total"] == 7.0


def test_a_slow_sink_begins_nothing_after_the_end_of_its_turn(place: Place) -> None:
    place.add("1", "2")
    place.now = 5.0
    assert place.deliver()
    assert place.chat.messages == []
    place.now = 0.0
    place.deliver()
    assert place.chat.messages == ["1", "2"]


def test_a_damaged_cursor_tells_the_stream_again_and_skips_nothing(place: Place) -> None:
    place.add("1", "2")
    place.deliver()
    assert EVENT_CURSOR.read(3, lambda _reason: None) == ""
    place.lab.state.save(EVENT_CURSOR, NAME, "")
    place.deliver()
    assert place.chat.messages == ["1", "2", "1", "2"]


def test_a_sink_that_hangs_holds_up_no_sync_and_not_the_end_of_the_process() -> None:
    lab = Lab()
    hangs, entered = threading.Event(), threading.Event()

    class Hanging:
        def deliver(self, _: Event) -> None:
            entered.set()
            hangs.wait()

    lab.state.save(EVENT_CURSOR, NAME, "")
    lab.push(config("a"))
    app = lab.declare()
    (delivery,) = start_deliveries({NAME: Hanging()}, lab.state, lab.queue, lab.context.meter)
    lab.run()
    assert entered.wait(30.0)
    lab.push(config("a"), config("b"))
    lab.poll_repository()
    assert lab.status(app).sync == "Synced"
    assert lab.live("ConfigMap", "b") is not None
    delivery.stop()
    hangs.set()


def test_without_sinks_nothing_is_started() -> None:
    lab = Lab()
    before = threading.active_count()
    assert start_deliveries({}, lab.state, lab.queue, lab.context.meter) == []
    assert threading.active_count() == before
