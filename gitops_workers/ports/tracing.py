"""Where processes tell the course of a commit as a trace: spans, each with the one in whose course it happened."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self


class Span(Protocol):
    """One step of a trace, which lasts as long as its block."""

    def note(self, **attributes: object) -> None:
        """Add attributes. Values are told as text, so none may be a secret or the content of a manifest."""

    def drop(self) -> None:
        """Nothing happened that is worth telling: the span is never sent. For spans without spans below them."""


class Tracer(Protocol):
    """Opens spans. A collector that is slow or away has no effect on what is traced."""

    @property
    def active(self) -> bool:
        """Whether anybody gets the spans: who would read or store anything for them asks this first."""

    def span(self, name: str, parent: str | None = None, **attributes: object) -> AbstractContextManager[Span]:
        """A span for a block of this thread. It fails when the block raises, and tells the class of the error alone.

        `parent`: the W3C traceparent of another process' span, "" where a trace begins here; None: the span that is
        open in this thread, whose identifiers (application, cluster, attempt, generation, operation, commit) it takes.
        """

    def note(self, **attributes: object) -> None:
        """Add attributes to the span that is open in this thread."""

    def context(self) -> str:
        """The W3C traceparent of the span that is open in this thread, "" where there is none."""


class NoSpan:
    """A span that nobody gets."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is told."""

    def note(self, **attributes: object) -> None:
        """Nothing is told."""

    def drop(self) -> None:
        """Nothing is told."""


class NoTracer:
    """Port `Tracer` where traces are off: every span is the same object, which does nothing."""

    __slots__ = ()
    active = False

    def span(self, name: str, parent: str | None = None, **attributes: object) -> NoSpan:  # noqa: ARG002 - the port's
        """The span that does nothing."""
        return NO_SPAN

    def note(self, **attributes: object) -> None:
        """Nothing is told."""

    def context(self) -> str:
        """There is none."""
        return ""


NO_SPAN = NoSpan()
NO_TRACES = NoTracer()
