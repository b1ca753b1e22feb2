"""Whether a process tells traces: as OpenTelemetry's standard variables say, and by default not."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.ports.tracing import NO_TRACES, Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"


@functools.cache
def process_tracer() -> Tracer:
    """The tracer of this process, by its own environment. Raises InvalidManifest as `open_tracer` does."""
    return open_tracer(os.environ)


def open_tracer(environment: Mapping[str, str]) -> Tracer:
    """The tracer of this process. Raises InvalidManifest for what this installation cannot do.

    On when OTEL_TRACES_EXPORTER is `otlp`, or is not set and an OTLP endpoint is. Off, nothing of OpenTelemetry is
    imported.
    """
    if not _asked(environment):
        return NO_TRACES
    variable = next((name for name in _PROTOCOLS if environment.get(name)), "")
    if variable and (protocol := environment[variable]) != _SPOKEN:
        raise InvalidManifest(f"{variable}: {protocol!r} is not spoken here. Set it to {_SPOKEN}, or do not set it.")
    try:
        from gitops_workers.adapters.open_telemetry import exporting  # noqa: PLC0415 - off, it costs nothing
    except ModuleNotFoundError as error:
        raise InvalidManifest(
            f"OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT: they ask for traces, and module {error.name} is not "
            "installed. Install gitops-workers[traces], or set OTEL_TRACES_EXPORTER=none."
        ) from None
    return exporting()


def _asked(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter in {"", "none"}:
        return not exporter and any(environment.get(name) for name in _ENDPOINTS)
    if exporter != "otlp":
        raise InvalidManifest(f"OTEL_TRACES_EXPORTER: {exporter!r} is not known here. Set it to otlp or none.")
    return True
