"""Port `Tracer` on OpenTelemetry's SDK: spans go in batches, by a thread of their own, to a collector (OTLP over HTTP).

Only `wiring.traces` imports this module, and only where traces are on. The SDK reads the standard variables itself:
endpoint, headers, sampler, batch sizes (OpenTelemetry specification, "Environment Variable Specification").
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gitops_workers.core.text.redact import scrub
from gitops_workers.ports.tracing import Span

PREFIX = "gitops."
INHERITED = tuple(
    PREFIX + name for name in ("application", "cluster", "attempt", "generation", "operation", "commit", "group")
)
"""The identifiers that a span takes from the one around it."""
LONGEST = 512
"""Characters of an attribute; identifiers are shorter."""
RESULT = PREFIX + "result"


class OpenTelemetrySpan:
    """One span of the SDK."""

    __slots__ = ("_dropped", "_span")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._dropped = False

    @property
    def dropped(self) -> bool:
        """Whether it is never to be sent: the SDK sends a span when it ends."""
        return self._dropped

    def note(self, **attributes: object) -> None:
        """Add attributes."""
        _note(self._span, attributes)

    def drop(self) -> None:
        """Never send it."""
        self._dropped = True


class OpenTelemetryTracer:
    """Opens spans in a provider of its own: the libraries of this process have no part in it."""

    active = True

    def __init__(self, processor: SpanProcessor) -> None:
        """`processor` is given every span that ends."""
        named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        self._provider = TracerProvider(resource=Resource.create({} if named else {SERVICE_NAME: "gitops-workers"}))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("gitops_workers")
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(self, name: str, parent: str | None = None, **attributes: object) -> Iterator[Span]:
        """A span for a block of this thread."""
        around = None if parent is None else self._propagator.extract({"traceparent": parent}, Context())
        inherited = _inherited() if parent is None else {}
        span = self._tracer.start_span(name, around, attributes=inherited)
        told = OpenTelemetrySpan(span)
        told.note(**attributes)
        try:
            # An error's text and its traceback may hold anything: neither is recorded.
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield told
        except BaseException as error:
            span.set_status(trace.StatusCode.ERROR)
            span.set_attributes({RESULT: "error", "error.type": type(error).__name__})
            raise
        else:
            if RESULT not in _attributes(span):
                span.set_attribute(RESULT, "success")
        finally:
            if not told.dropped:
                span.end()

    def note(self, **attributes: object) -> None:
        """Add attributes to the open span."""
        _note(trace.get_current_span(), attributes)

    def context(self) -> str:
        """The open span's traceparent."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return carrier.get("traceparent", "")

    def close(self) -> None:
        """Send what is left; the SDK does so by itself when the process ends."""
        self._provider.shutdown()


def exporting() -> OpenTelemetryTracer:
    """A tracer that sends to the collector which the environment names."""
    return OpenTelemetryTracer(BatchSpanProcessor(OTLPSpanExporter()))


def _note(span: trace.Span, attributes: Mapping[str, object]) -> None:
    for name, value in attributes.items():
        span.set_attribute(PREFIX + name, value if isinstance(value, int) else scrub(str(value))[:LONGEST])


def _inherited() -> dict[str, str | int]:
    around = _attributes(trace.get_current_span())
    return {name: value for name in INHERITED if isinstance(value := around.get(name), str | int)}


def _attributes(span: trace.Span) -> Mapping[str, object]:
    """Those of a span; none where it is not recorded."""
    found: Mapping[str, object] | None = getattr(span, "attributes", None)
    return found or {}
