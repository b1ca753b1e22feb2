"""Port `Tracer` in memory: the spans that have ended, in the order in which they began."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

INHERITED = ("application", "cluster", "attempt", "generation", "operation", "commit", "group")


@dataclass(slots=True)
class VolatileSpan:
    """One span. `trace` and `id` are the hexadecimal numbers of its traceparent, `parent` the id of another span."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, object] = field(default_factory=dict)
    ended: bool = False
    dropped: bool = False

    def note(self, **attributes: object) -> None:
        """Add attributes."""
        self.attributes.update(attributes)

    def drop(self) -> None:
        """Never tell it."""
        self.dropped = True


class VolatileTracer:
    """Keeps every span."""

    active = True

    def __init__(self) -> None:
        self._begun: list[VolatileSpan] = []
        self._numbers = itertools.count(1)
        self._here = threading.local()

    @property
    def spans(self) -> list[VolatileSpan]:
        """Those that have ended, oldest beginning first."""
        return [span for span in self._begun if span.ended and not span.dropped]

    @contextmanager
    def span(self, name: str, parent: str | None = None, **attributes: object) -> Iterator[VolatileSpan]:
        """A span for a block of this thread."""
        around = self._current()
        trace, above, inherited = f"{next(self._numbers):032x}", "", {}
        if parent:
            _, trace, above, _ = parent.split("-")
        elif parent is None and around is not None:
            trace, above = around.trace, around.id
            inherited = {key: value for key, value in around.attributes.items() if key in INHERITED}
        span = VolatileSpan(name, trace, f"{next(self._numbers):016x}", above, {**inherited, **attributes})
        self._begun.append(span)
        self._here.span = span
        try:
            yield span
        except BaseException:
            span.attributes["result"] = "error"
            raise
        else:
            span.attributes.setdefault("result", "success")
        finally:
            span.ended = True
            self._here.span = around

    def note(self, **attributes: object) -> None:
        """Add attributes to the open span."""
        if (span := self._current()) is not None:
            span.note(**attributes)

    def context(self) -> str:
        """The open span's traceparent."""
        span = self._current()
        return f"00-{span.trace}-{span.id}-01" if span is not None else ""

    def _current(self) -> VolatileSpan | None:
        span: VolatileSpan | None = getattr(self._here, "span", None)
        return span
