"""Which of several readings of the settings is the newest."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.documents.kinds import SETTINGS
from gitops_workers.core.settings.readings import Heard, heard
from gitops_workers.core.settings.settings_version import KEPT, Freshness, SettingsVersion, freshness
from gitops_workers.core.telemetry.presence import ABSENT_SECONDS, WORKER, Presence, Process

FIRST = SettingsVersion("first", 100.0)
SECOND = FIRST.followed_by("second", 200.0, Heard())
BOTH_READ = Heard(frozenset({"first", "second"}), complete=True)
FIRST_ALONE = Heard(frozenset({"first"}), complete=True)
LATER = 10_000.0


@pytest.mark.parametrize(
    ("own", "read_at", "stored", "heard", "now", "expected"),
    [
        # Redis was flushed.
        ("first", {"first": 90.0}, None, Heard(), LATER, Freshness.NEWER),
        ("first", {"first": 90.0}, FIRST, BOTH_READ, LATER, Freshness.SAME),
        ("second", {"first": 90.0, "second": 200.0}, FIRST, BOTH_READ, LATER, Freshness.NEWER),
        ("first", {"first": 90.0}, SECOND, BOTH_READ, LATER, Freshness.OLDER),
        # A process that starts on a host with the old text knows no more than one that has always run there.
        ("first", {"first": 210.0}, SECOND, BOTH_READ, LATER, Freshness.OLDER),
        ("first", {"first": 9_000_000.0}, SECOND, BOTH_READ, LATER, Freshness.OLDER),
        # Every pod was restarted with the first text.
        ("first", {"first": 210.0}, SECOND, FIRST_ALONE, LATER, Freshness.NEWER),
        # Whoever put the second text in force had no heartbeat since.
        ("first", {"first": 210.0}, SECOND, FIRST_ALONE, 200.0 + ABSENT_SECONDS, Freshness.OLDER),
        # A worker of an older release does not tell what it reads.
        ("first", {"first": 210.0}, SECOND, Heard(FIRST_ALONE.digests, complete=False), LATER, Freshness.OLDER),
        # No heartbeat tells the first text, so the others' may be missing as well.
        ("first", {"first": 210.0}, SECOND, Heard(frozenset(), complete=True), LATER, Freshness.OLDER),
        ("first", {"first": 210.0}, SECOND, Heard(frozenset({"third"}), complete=True), LATER, Freshness.OLDER),
        # Somebody put the first text back, and this process had read the second one.
        ("first", {"second": 200.0, "first": 205.0}, SECOND, BOTH_READ, LATER, Freshness.NEWER),
        ("first", {"second": 200.0, "first": 205.0}, SECOND, Heard(), LATER, Freshness.NEWER),
        # A text nobody has seen is newer, whatever this process read before.
        ("third", {"third": 203.0}, SECOND, BOTH_READ, LATER, Freshness.NEWER),
    ],
)
def test_where_a_reading_stands(own, read_at, stored, heard, now, expected):
    assert freshness(own, read_at, stored, heard, now) is expected


def test_the_replaced_versions_are_bounded_and_name_each_digest_once():
    version = FIRST
    for number in range(50):
        version = version.followed_by(f"text-{number % 20}", 200.0 + number, Heard())
    digests = [digest for digest, _ in version.replaced]
    assert len(digests) == KEPT
    assert len(set(digests)) == KEPT
    assert digests[0] == "text-8"


def test_a_text_that_somebody_still_reads_is_old_after_any_number_of_edits():
    version = FIRST
    for number in range(50):
        read = Heard(frozenset({"first", f"text-{number}"}), complete=True)
        version = version.followed_by(f"text-{number}", 200.0 + number, read)
    assert len(version.replaced) == KEPT + 1
    assert freshness("first", {"first": 90.0}, version, read, LATER) is Freshness.OLDER


@pytest.mark.parametrize("value", [None, 3, [], {}, {"digest": "a"}, {"digest": "a", "since": "x", "replaced": []}])
def test_a_document_that_cannot_be_read_is_none(value):
    assert SETTINGS.read(value, lambda _reason: None) is None


def test_a_document_reads_as_it_was_written():
    assert SETTINGS.loads({**SETTINGS.dumps(SECOND), "later": 1}) == SECOND


@dataclass
class Fleet:
    """Workers that share a store: `text` is what stands on each one's host, `read_at` what its process knows."""

    now: float = 1000.0
    stored: SettingsVersion | None = None
    changes: list[str] = field(default_factory=list)
    """The digests that came into force, in order."""

    def __post_init__(self) -> None:
        self.text = ["old"] * 4
        self.read_at: list[dict[str, float]] = [{"old": self.now} for _ in self.text]
        self.processes: dict[Process, float] = {}
        self.readings: dict[tuple[str, str], float] = {}

    def write(self, host: int, text: str) -> None:
        """A file changes, and the process there reads it."""
        if text != self.text[host]:
            self.text[host] = text
            self.read_at[host][text] = self.now

    def restart(self, host: int) -> None:
        """A process says goodbye; the one that follows it knows its files alone."""
        self.processes.pop(Process(WORKER, f"{host}@host"), None)
        self.read_at[host] = {self.text[host]: self.now}

    def beat(self, host: int) -> None:
        self.processes[Process(WORKER, f"{host}@host")] = self.now
        self.readings[f"{host}@host", self.text[host]] = self.now

    def decide(self, host: int) -> Freshness:
        own, told = self.text[host], heard(Presence(self.now, dict(self.processes), {}, dict(self.readings)))
        found = freshness(own, self.read_at[host], self.stored, told, self.now)
        if found is Freshness.NEWER:
            self.stored = (
                self.stored.followed_by(own, self.now, told) if self.stored else SettingsVersion(own, self.now)
            )
            self.changes.append(own)
        return found


HOSTS = st.integers(0, 3)


@given(st.lists(HOSTS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_workers_that_end_with_one_text_agree_on_it(order, random):
    """Whatever the order in which hosts get a new text, the version in force is the text all of them have at last."""
    fleet = Fleet()
    for host in [*order, 0, 1, 2, 3]:
        fleet.now += 0.01 + random.random()
        fleet.write(host, "new")
        for worker in random.sample(range(4), 4):
            fleet.decide(worker)
    assert fleet.stored is not None
    assert fleet.stored.digest == "new"
    assert all(fleet.decide(worker) is Freshness.SAME for worker in range(4))


@given(
    st.lists(st.tuples(HOSTS, st.sampled_from(["old", "new", "other"])), max_size=8),
    st.lists(st.tuples(st.sampled_from(["decide", "restart", "pass"]), HOSTS), max_size=60),
)
def test_without_a_change_of_files_what_somebody_reads_stays_in_force(edits, events):
    """Workers decide, are restarted and are heard of late, for as long as they like: they do not take turns."""
    fleet = Fleet()
    for host in range(4):
        fleet.beat(host)
        fleet.decide(host)
    for host, text in edits:
        fleet.now += 1
        fleet.write(host, text)
        fleet.decide(host)
    fleet.changes.clear()
    assert fleet.stored is not None
    read = fleet.stored.digest in fleet.text
    for event, host in events:
        match event:
            case "decide":
                fleet.decide(host)
            case "restart":
                fleet.restart(host)
            case _:
                fleet.now += ABSENT_SECONDS - 1
                for one in range(4):
                    fleet.beat(one)
    assert len(fleet.changes) <= (0 if read else 1)


@given(st.lists(st.tuples(HOSTS, st.sampled_from(["old", "new", "other"])), max_size=12), st.permutations(range(4)))
def test_a_fleet_that_is_restarted_with_one_text_decides_by_it(edits, order):
    """ConfigMap put back, pods replaced one after the other: the last one to go takes its text out of force."""
    fleet = Fleet()
    for host, text in edits:
        fleet.now += 1
        fleet.write(host, text)
        fleet.beat(host)
        fleet.decide(host)
    for host in order:
        fleet.text[host] = "old"
        fleet.restart(host)
        fleet.beat(host)
    fleet.now += ABSENT_SECONDS + 1
    for host in order:
        fleet.beat(host)
    fleet.decide(order[0])
    assert fleet.stored is not None
    assert fleet.stored.digest == "old"
    assert all(fleet.decide(host) is Freshness.SAME for host in order)
