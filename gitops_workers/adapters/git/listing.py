"""What a server says it has: one ls-remote, shared by every application and worker that asks.

In a process one request is under way per repository and the others wait for its answer, also for its failure. Between
processes the answer goes through a shared store of sealed bytes, since whoever could forge it would choose what is
deployed.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.objects import digest
from gitops_workers.ports import RenderCache
from gitops_workers.ports.git import Refs

LIFETIME = 3_600.0
"""Seconds a listing stays in the shared store: longer than any poll interval in use."""
_KEPT = 1_000
"""Repositories whose last listing stays in this process."""
_MESSAGE = "the server's list of refs is not one: {}"

_SYMBOLIC = re.compile(r"ref: (refs/\S+)\t(\S+)")
_REF = re.compile(r"([0-9a-f]{40})\t(HEAD|refs/\S+)")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[./]$")


def parse_listing(output: bytes, listed_at: float) -> Refs:
    """Read the output of `git ls-remote --symref`. Raises SourceUnavailable when a line is none of its kind.

    An empty output is an empty repository: git itself has checked that the server's answer was whole.
    """
    refs: dict[str, str] = {}
    head = ""
    for line in output.decode(errors="replace").splitlines():
        if match := _SYMBOLIC.fullmatch(line):
            head = match[1] if match[2] == "HEAD" else head
            continue
        match = _REF.fullmatch(line)
        name = match[2].removesuffix("^{}") if match else ""
        if match is None or not valid_ref(name):
            raise SourceUnavailable(_MESSAGE.format(repr(line[:80])))
        refs[name] = match[1]  # the peeled line of an annotated tag comes after its own
    return Refs(refs, head, listed_at)


def valid_ref(name: str) -> bool:
    """Whether git accepts this full ref name (`git check-ref-format`); `HEAD` is one."""
    return name == "HEAD" or (name.startswith("refs/") and not _FORBIDDEN.search(name))


def signature(refs: Refs) -> str:
    """A name for the state of all branches and tags."""
    return digest(*(part for item in sorted(refs.refs.items()) for part in item))


@dataclass(slots=True)
class _Entry:
    """One repository's last answer or failure, guarded by its lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    refs: Refs | None = None
    failure: SourceUnavailable | None = None
    failed_at: float = 0.0


class Listings:
    """The last listing of each repository."""

    def __init__(self, shared: RenderCache, clock: Callable[[], float]) -> None:
        """`shared` is a sealed store; `clock` is the store's time (epoch s), the same for all workers."""
        self._shared = shared
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def get(self, key: str, not_before: float, timeout: float, ask: Callable[[], bytes]) -> Refs:
        """A listing made at or after `not_before`; `ask` is called by one thread when nobody has one.

        A failure that began at or after `not_before` is the answer to all who waited for it.
        """
        entry = self._entry(key)
        seen = entry.failure
        if (refs := _fresh(entry.refs, not_before)) is not None:
            return refs
        with _held(entry.lock, timeout):
            if (refs := _fresh(entry.refs, not_before) or self._load(key, not_before)) is not None:
                entry.refs = refs
                return refs
            failure = entry.failure
            if failure is not None and entry.failed_at >= not_before and (not_before > 0 or failure is not seen):
                raise type(failure)(str(failure))
            asked_at = self._clock()
            try:
                refs = parse_listing(ask(), asked_at)
            except SourceUnavailable as problem:
                entry.failure, entry.failed_at = problem, asked_at
                raise
            entry.refs, entry.failure = refs, None
            self._shared.put(f"refs/{key}", _dump(refs), LIFETIME)
            return refs

    def known(self, key: str, not_before: float) -> Refs | None:
        """What this process knows already, if it is new enough."""
        return _fresh(self._entry(key).refs, not_before)

    def last(self, key: str) -> Refs | None:
        """The newest listing this process knows."""
        return self._entry(key).refs

    def _load(self, key: str, not_before: float) -> Refs | None:
        data = self._shared.get(f"refs/{key}")
        return _fresh(_parse(data), not_before) if data else None

    def _entry(self, key: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
                if len(self._entries) > _KEPT:
                    self._entries.popitem(last=False)
            else:
                self._entries.move_to_end(key)
            return entry


@contextlib.contextmanager
def _held(lock: threading.Lock, timeout: float) -> Iterator[None]:
    # Twice: the request under way may end at its own deadline, and then ours begins.
    if not lock.acquire(timeout=2 * timeout):
        raise SourceUnavailable(f"the list of refs did not come within {2 * timeout:.0f} s; too many wait for it")
    try:
        yield
    finally:
        lock.release()


def _fresh(refs: Refs | None, not_before: float) -> Refs | None:
    return refs if refs is not None and refs.listed_at >= not_before else None


def _dump(refs: Refs) -> bytes:
    return orjson.dumps({"refs": dict(refs.refs), "head": refs.head, "listed_at": refs.listed_at})


def _parse(data: bytes) -> Refs | None:
    """A shared listing; None when it is not one (another version wrote it)."""
    try:
        value = orjson.loads(data)
        return Refs({str(name): str(oid) for name, oid in value["refs"].items()}, value["head"], value["listed_at"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
