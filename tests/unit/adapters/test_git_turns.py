"""Who waits for a Git host: so many and no more, and nobody for one that was silent a moment ago."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest

from gitops_workers.adapters.git import Turns
from gitops_workers.core.errors import GitOpsError, HostUnavailable, SourceUnavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns(per_host=2, in_all=3, clock=clock)


@contextlib.contextmanager
def waiting(turns: Turns, *hosts: str) -> Iterator[None]:
    """Somebody waits for each of these hosts."""
    with contextlib.ExitStack() as stack:
        for number, host in enumerate(hosts):
            stack.enter_context(turns.taken(host, f"{host}/{number}"))
        yield


def ask(turns: Turns, host: str, repository: str = "other") -> str:
    try:
        with turns.taken(host, repository):
            return "asked"
    except GitOpsError as error:
        return type(error).__name__


def test_whoever_finds_no_place_gives_the_turn_back_and_other_hosts_go_on(turns: Turns, clock: Clock) -> None:
    with waiting(turns, "dead", "dead"):
        clock.now += 1
        assert ask(turns, "dead") == "Deferred"
        assert ask(turns, "sound") == "asked"
    assert ask(turns, "dead") == "asked"


def test_all_hosts_together_leave_threads_to_those_who_need_none_of_them(turns: Turns, clock: Clock) -> None:
    with waiting(turns, "dead", "dead", "silent"):
        clock.now += 1
        assert ask(turns, "sound") == "Deferred"


def test_polls_are_not_counted(turns: Turns) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(9):
            stack.enter_context(turns.watched("host", str(number)))
        assert ask(turns, "host") == "asked"


def test_a_place_that_is_left_within_a_moment_is_waited_for(turns: Turns) -> None:
    left = threading.Event()
    with contextlib.ExitStack() as stack:
        stack.enter_context(waiting(turns, "busy", "busy"))
        found: list[str] = []

        def wait() -> None:
            left.set()
            found.append(ask(turns, "busy"))

        thread = threading.Thread(target=wait)
        thread.start()
        assert left.wait(10)
    thread.join(10)
    assert found == ["asked"]


@pytest.mark.parametrize("of_a_poll", [False, True])
def test_the_silence_of_a_host_about_a_repository_is_remembered_for_a_while(
    turns: Turns, clock: Clock, of_a_poll: bool
) -> None:
    with pytest.raises(HostUnavailable), (turns.watched if of_a_poll else turns.taken)("host", "one"):
        raise HostUnavailable("host: no answer")
    assert ask(turns, "host", "one") == "HostUnavailable"
    assert ask(turns, "host", "other") == "asked", "it may be the repository alone"
    clock.now += 31
    assert ask(turns, "host", "one") == "asked"


def test_any_answer_ends_the_silence(turns: Turns) -> None:
    with pytest.raises(HostUnavailable), turns.taken("host", "one"):
        raise HostUnavailable("host: no answer")
    with turns.watched("host", "one"):
        pass
    assert ask(turns, "host", "one") == "asked"


def test_a_refusal_is_an_answer_and_gives_the_place_back(turns: Turns) -> None:
    for _ in range(5):
        with pytest.raises(SourceUnavailable), turns.taken("host", "one"):
            raise SourceUnavailable("host: not found")
    assert ask(turns, "host", "one") == "asked"
