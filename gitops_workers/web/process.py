"""The web process from its environment to its server."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from gitops_workers.broker import Sender, publish
from gitops_workers.core.errors import Refused
from gitops_workers.logs import configure
from gitops_workers.ports import Secrets, TaskMessage
from gitops_workers.runtime.heartbeat import Heartbeat
from gitops_workers.runtime.meters import METER
from gitops_workers.runtime.own_metrics import serve_own
from gitops_workers.settings import Settings
from gitops_workers.web.configure import web_settings
from gitops_workers.web.serve import serve
from gitops_workers.web.services import WebServices
from gitops_workers.wiring.stores import open_queue, open_state, open_telemetry
from gitops_workers.wiring.traces import process_tracer

INVALID = 2
"""The exit code for a mistake in the environment, as in the command line interface."""


def main() -> int:
    """Serve until a signal; the exit status."""
    try:
        from gitops_workers.app import celery_app, settings  # noqa: PLC0415 - reading the environment may be refused

        _run(celery_app, settings)
    except Refused as problem:
        # A mistake in the environment: one sentence for who made it, no trace of our insides.
        sys.stderr.write(f"gitops_workers.web: {problem}\n")
        return INVALID
    return 0


def _run(sender: Sender, settings: Settings) -> None:
    configure(settings)

    def ring(doorbells: Sequence[TaskMessage]) -> None:
        publish(sender, doorbells)

    state, queue = open_state(settings), open_queue(settings)
    telemetry = open_telemetry(settings)
    tracer = process_tracer()
    services = WebServices(
        state, queue, ring, web_settings(settings), telemetry, _secrets(settings), meter=METER, tracer=tracer
    )
    serve_own(settings)
    heartbeat = Heartbeat(telemetry, services.process, METER)
    heartbeat.start()
    try:
        serve(services, settings.web_address)
    finally:
        heartbeat.stop()


def _secrets(settings: Settings) -> Secrets | None:
    """Where the tokens of Flux Receivers are, and nothing else that this process would read."""
    if not settings.secrets:
        return None
    # Imported here: without Receivers this process knows neither manifests nor YAML.
    from gitops_workers.adapters.secrets_files import SecretFiles  # noqa: PLC0415
    from gitops_workers.dialects.document import documents  # noqa: PLC0415
    from gitops_workers.yaml_events import load_positions  # noqa: PLC0415

    return SecretFiles(Path(settings.secrets), lambda data, name: documents(name, load_positions(data)))
