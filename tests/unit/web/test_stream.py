"""Which events a stream sends: each once, oldest first, and what a returning client missed."""

from __future__ import annotations

from gitops_workers.core.objects import digest_of
from gitops_workers.core.status import Event
from gitops_workers.web.stream import _after


def events(*numbers: int) -> list[Event]:
    """As the store reads them: newest first."""
    return [Event(f"t{n}", "application/argocd/a", "Normal", "R", str(n)) for n in sorted(numbers, reverse=True)]


def name(event: Event) -> str:
    return digest_of(event.to_json())


def told(found: list[tuple[str, Event]]) -> list[str]:
    return [event.message for _, event in found]


def test_a_first_look_gives_the_newest_oldest_first():
    assert told(_after(events(1, 2, 3, 4), [], 3)) == ["2", "3", "4"]


def test_only_what_is_newer_than_the_last_look_follows():
    window = events(1, 2, 3)
    assert _after(window, [name(event) for event in window], 500) == []
    assert told(_after(events(2, 3, 4, 5), [name(event) for event in window], 500)) == ["4", "5"]


def test_a_client_that_comes_back_gets_what_it_missed():
    window = events(1, 2, 3, 4)
    assert told(_after(window, [name(window[2])], 500)) == ["3", "4"]


def test_after_a_gap_larger_than_the_window_the_window_is_told():
    assert told(_after(events(7, 8), [name(events(1)[0])], 500)) == ["7", "8"]
