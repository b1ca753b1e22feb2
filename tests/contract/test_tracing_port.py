"""Port `Tracer`: what a collector is given, in memory and on OpenTelemetry's SDK where that is installed."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from gitops_workers.ports.tracing import NO_TRACES, Tracer
from gitops_workers.testing.volatile_tracing import VolatileTracer


@dataclass(frozen=True)
class Told:
    """A span as a collector has it."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Traced:
    tracer: Tracer
    spans: Callable[[], Sequence[Told]]
    """Oldest beginning first."""

    def one(self, name: str) -> Told:
        (span,) = [span for span in self.spans() if span.name == name]
        return span


def volatile() -> Traced:
    tracer = VolatileTracer()
    return Traced(
        tracer, lambda: [Told(span.name, span.trace, span.id, span.parent, span.attributes) for span in tracer.spans]
    )


def of_the_sdk() -> Traced:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `traces` is not installed")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from gitops_workers.adapters.open_telemetry import PREFIX, OpenTelemetryTracer

    exporter = InMemorySpanExporter()

    def told() -> list[Told]:
        return [
            Told(
                span.name,
                f"{span.context.trace_id:032x}",
                f"{span.context.span_id:016x}",
                f"{span.parent.span_id:016x}" if span.parent else "",
                {name.removeprefix(PREFIX): value for name, value in span.attributes.items()},
            )
            for span in sorted(exporter.get_finished_spans(), key=lambda span: span.start_time)
        ]

    return Traced(OpenTelemetryTracer(SimpleSpanProcessor(exporter)), told)


@pytest.fixture(params=[volatile, of_the_sdk])
def traced(request: pytest.FixtureRequest) -> Traced:
    found: Traced = request.param()
    return found


def test_a_span_within_another_is_of_its_trace_and_takes_its_identifiers(traced: Traced) -> None:
    with traced.tracer.span("attempt", "", application="application/a/b", attempt=7, phase="Running"):
        traced.tracer.note(commit="c1")
        with traced.tracer.span("render", object="x"):
            pass
    attempt, render = traced.one("attempt"), traced.one("render")
    assert (render.trace, render.parent, attempt.parent) == (attempt.trace, attempt.id, "")
    identifiers = {"application": "application/a/b", "attempt": 7, "commit": "c1"}
    assert render.attributes == {**identifiers, "object": "x", "result": "success"}
    assert attempt.attributes == {**identifiers, "phase": "Running", "result": "success"}


def test_a_traceparent_that_was_stored_continues_the_trace_elsewhere(traced: Traced) -> None:
    with traced.tracer.span("poll", ""):
        stored = traced.tracer.context()
    assert traced.tracer.context() == ""
    with traced.tracer.span("other", ""), traced.tracer.span("attempt", stored):
        pass
    poll, attempt = traced.one("poll"), traced.one("attempt")
    assert stored.startswith(f"00-{poll.trace}-{poll.id}-")
    assert (attempt.trace, attempt.parent) == (poll.trace, poll.id)
    assert traced.one("other").trace != poll.trace


def test_a_block_that_raises_has_failed_and_its_words_are_not_told(traced: Traced) -> None:
    with pytest.raises(RuntimeError), traced.tracer.span("render", ""):
        raise RuntimeError("hunter2")
    assert traced.one("render").attributes["result"] == "error"
    assert "hunter2" not in repr(traced.spans())


def test_a_result_that_was_noted_stays(traced: Traced) -> None:
    with traced.tracer.span("attempt", "") as span:
        span.note(result="requeue")
    assert traced.one("attempt").attributes["result"] == "requeue"


def test_a_dropped_span_is_never_told(traced: Traced) -> None:
    with traced.tracer.span("poll", "") as span:
        span.drop()
    assert traced.spans() == []


def test_without_traces_every_span_is_one_object_and_nothing_is_open() -> None:
    with NO_TRACES.span("a") as one, NO_TRACES.span("b", "", object="x") as other:
        one.note(commit="c")
        assert NO_TRACES.context() == ""
    assert one is other
    assert not NO_TRACES.active


def test_the_credentials_of_a_url_in_an_attribute_are_not_sent() -> None:
    traced = of_the_sdk()
    with traced.tracer.span("fetch", "", repository="https://ann:hunter2@git.example/shop.git"):
        pass
    assert "git.example" in traced.one("fetch").attributes["repository"]
    assert "hunter2" not in repr(traced.spans())


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent to it."""

    taken: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(
            (self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


def test_a_collector_that_the_environment_names_is_sent_the_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `traces` is not installed")
    from gitops_workers.adapters.open_telemetry import exporting

    Collector.taken.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        tracer = exporting()
        with tracer.span("attempt", "", application="application/a/b"):
            pass
        tracer.close()
        server.shutdown()
    ((path, body),) = Collector.taken
    assert path == "/v1/traces"
    assert all(text in body for text in (b"gitops-workers", b"attempt", b"gitops.application", b"application/a/b"))


def test_the_sdk_has_nobodys_exception_text() -> None:
    traced = of_the_sdk()
    with pytest.raises(ValueError, match="hunter2"), traced.tracer.span("render", ""):
        raise ValueError("hunter2")
    assert traced.one("render").attributes == {"result": "error", "error.type": "ValueError"}
