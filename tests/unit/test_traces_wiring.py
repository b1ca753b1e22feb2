"""Traces are on where OpenTelemetry's variables say so, and off they cost nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

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


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OTEL_TRACES_EXPORTER", "jaeger", "OTEL_TRACES_EXPORTER: 'jaeger' is not known here."),
        ("GITOPS_EVENT_SINKS", "pigeon=x", "GITOPS_EVENT_SINKS"),
    ],
)
def test_a_worker_that_cannot_tell_what_it_is_to_tell_exits_with_a_sentence(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "GITOPS_STATE": str(tmp_path),
        "GITOPS_REDIS_URL": "redis://127.0.0.1:1/0",
        "GITOPS_ALLOW_RENDER_NETWORK": "true",
        variable: value,
    }
    argv = [sys.executable, "-m", "gitops_workers.process", "worker"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"gitops_workers: {said}")
    assert "Traceback" not in done.stderr


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
