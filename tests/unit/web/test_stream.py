"""Which events a stream sends: each once, oldest first, and what a returning client missed."""

from __future__ import annotations

from dataclasses import replace

from gitops_workers.core.status.rows import Event
from gitops_workers.web.stream import untold


def events(*numbers: int) -> list[Event]:
    """As the store reads them: newest first."""
    order = sorted(numbers, reverse=True)
    return [Event(f"t{n}", "application/argocd/a", "Normal", "R", str(n), id=f"{n}-0") for n in order]


def name(event: Event) -> str:
    return event.id


def told(found: list[Event]) -> list[str]:
    return [event.message for event in found]


def test_a_first_look_gives_the_newest_oldest_first():
    assert told(untold(events(1, 2, 3, 4), [], 3)) == ["2", "3", "4"]


def test_only_what_is_newer_than_the_last_look_follows():
    window = events(1, 2, 3)
    assert untold(window, [name(event) for event in window], 500) == []
    assert told(untold(events(2, 3, 4, 5), [name(event) for event in window], 500)) == ["4", "5"]


def test_a_client_that_comes_back_gets_what_it_missed():
    window = events(1, 2, 3, 4)
    assert told(untold(window, [name(window[2])], 500)) == ["3", "4"]


def test_after_a_gap_larger_than_the_window_the_window_is_told():
    assert told(untold(events(7, 8), [name(events(1)[0])], 500)) == ["7", "8"]


def test_two_events_that_say_the_same_words_are_both_told():
    first, second = events(1)[0], events(2)[0]
    window = [replace(first, id=second.id), first]
    assert [event.id for event in untold(window, [first.id], 500)] == ["2-0"]
    assert [event.id for event in untold(window, [], 500)] == ["1-0", "2-0"]
