"""Traces are on where OpenTelemetry's variables say so, and off they cost nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.ports.tracing import NO_TRACES
from gitops_workers.wiring.traces import open_tracer

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
INSTALLED = find_spec("opentelemetry.exporter") is not None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": ""},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "none", **ENDPOINT},
        {"OTEL_SERVICE_NAME": "shop"},
        {"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp", **ENDPOINT},
        {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "jaeger"},
    ],
)
def test_traces_are_off(environment: dict[str, str]) -> None:
    assert open_tracer(environment) is NO_TRACES


ON = [ENDPOINT, {"OTEL_TRACES_EXPORTER": "otlp"}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1"}]


@pytest.mark.skipif(INSTALLED, reason="the extra `traces` is installed")
@pytest.mark.parametrize("environment", ON)
def test_traces_without_the_extra_are_refused_with_what_to_install(environment: dict[str, str]) -> None:
    with pytest.raises(InvalidManifest, match=r"Install gitops-workers\[traces\]"):
        open_tracer(environment)


@pytest.mark.skipif(not INSTALLED, reason="the extra `traces` is not installed")
@pytest.mark.parametrize("environment", ON)
def test_traces_are_on(environment: dict[str, str]) -> None:
    assert open_tracer({**environment, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}).active


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"OTEL_TRACES_EXPORTER": "jaeger"}, "OTEL_TRACES_EXPORTER: 'jaeger'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", **ENDPOINT}, "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc'"),
    ],
)
def test_what_is_not_known_here_is_refused_by_its_name(environment: dict[str, str], names: str) -> None:
    with pytest.raises(InvalidManifest, match=names):
        open_tracer(environment)


def test_a_worker_without_traces_imports_neither_the_adapter_nor_the_sdk() -> None:
    script = (
        "import sys, gitops_workers.wiring.worker, gitops_workers.web.process\n"
        "from gitops_workers.wiring.traces import open_tracer\n"
        "assert not open_tracer({}).active\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk.trace', 'opentelemetry.exporter',"
        " 'gitops_workers.adapters.open_telemetry'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
