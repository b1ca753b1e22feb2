"""The Celery application: the only module that knows Celery's settings.

Each setting that differs from Celery's default has its reason in `reference` measurements or a known incident; the
short form stands beside it.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging, worker_process_init, worker_ready, worker_shutdown

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.telemetry.presence import CONTROL, WORKER, Process
from gitops_workers.logs import configure
from gitops_workers.runtime import channel
from gitops_workers.runtime.heartbeat import Heartbeat
from gitops_workers.runtime.meters import METER
from gitops_workers.runtime.own_metrics import serve_own
from gitops_workers.settings import Settings, read

VISIBILITY = 360
"""Seconds until an unacknowledged message is delivered again; above every deadline of a task."""


def build(settings: Settings) -> Celery:
    """The application for these settings."""
    app = Celery("gitops_workers", include=["gitops_workers.tasks"])
    app.conf.update(
        broker_url=broker_url(settings.redis_url),
        # Pickle from whoever can write Redis would be code from whoever can write Redis (CVE-2021-23727, T34).
        accept_content=["json"],
        result_accept_content=["json"],
        task_serializer="json",
        # Redis loses messages between BRPOP and its own bookkeeping: the due queue repairs that, so a message is only
        # kept until its task ends, and no result is ever stored.
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_consumer="gitops_workers.runtime.consumer:SteadyConsumer",
        worker_pool="gitops_workers.runtime.pool:CompartmentPool",
        worker_enable_remote_control=True,
        worker_send_task_events=False,
        beat_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_acquire_timeout=5,
        task_create_missing_queues=True,
        task_default_queue=CONTROL,
        broker_transport_options={
            "visibility_timeout": VISIBILITY,
            # 10 x 10 s is the default: a killed worker's messages came back after 91 s.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            # Without a timeout a publish to a frozen Redis hangs forever.
            "socket_timeout": 10,
            "socket_connect_timeout": 3,
            "socket_keepalive": not settings.redis_url.startswith("unix:"),
            "health_check_interval": 10,
            "queue_order_strategy": "priority",
            "global_keyprefix": "gitops:celery:",
        },
    )
    return app


def broker_url(redis_url: str) -> str:
    """Kombu's spelling of a Redis URL: it names unix sockets differently from redis-py."""
    if redis_url.startswith("unix://"):
        path, _, query = redis_url.removeprefix("unix://").partition("?")
        database = query.removeprefix("db=") or "0"
        return f"redis+socket://{path}?virtual_host={database}"
    return redis_url


channel.mend()
try:
    settings = read(os.environ)
except InvalidManifest as problem:
    # Beat, workers and Flower import this module first: whoever has set them up reads a sentence and no traceback.
    raise SystemExit(f"gitops_workers: {problem}") from None
celery_app = build(settings)
app = celery_app
"""What `celery -A gitops_workers.app` looks for."""


@setup_logging.connect
def _logging(**_: Any) -> None:
    configure(settings)


@celeryd_after_setup.connect
def _tell_isolation(**_: Any) -> None:
    # Before the first message is taken: what cannot render here goes to another worker.
    from gitops_workers.wiring.sandbox import tell_isolation  # noqa: PLC0415 - only workers render

    if not tell_isolation(settings):
        raise SystemExit(1)
    from gitops_workers.wiring.traces import process_tracer  # noqa: PLC0415 - beat has nothing to trace

    try:
        process_tracer()
        if settings.event_sinks:
            from gitops_workers.wiring.events import event_sinks  # noqa: PLC0415 - only workers deliver

            event_sinks(settings)
    except InvalidManifest as problem:
        # Celery makes a number of the code with which a worker exits here, so it cannot be the sentence.
        sys.stderr.write(f"gitops_workers: {problem}\n")
        raise SystemExit(1) from None


@worker_ready.connect
def _warm(sender: Any, **_: Any) -> None:
    # The first task would pay half a second for imports and connections, with an operator waiting for it.
    from gitops_workers.wiring.worker_context import current, stay_fresh  # noqa: PLC0415 - only workers have an engine

    context = current().context
    own = context.settings
    if settings.event_sinks:
        _begin_deliveries(context)
    _tune()
    threading.Thread(target=stay_fresh, name="settings", daemon=True).start()
    _begin_heartbeat(sender.hostname, tuple(sorted(sender.app.amqp.queues.consume_from)), own.digest)


def _begin_deliveries(context: Any) -> None:
    from gitops_workers.wiring.events import deliver_events, event_sinks  # noqa: PLC0415 - only workers deliver

    stop = deliver_events(event_sinks(settings), context)
    worker_shutdown.connect(lambda **_: stop(), weak=False)


def _begin_heartbeat(name: str, queues: tuple[str, ...], own: Callable[[], str]) -> None:
    from gitops_workers.wiring.sandbox import isolation_here  # noqa: PLC0415 - publishers need neither
    from gitops_workers.wiring.stores import open_telemetry  # noqa: PLC0415

    process = Process(WORKER, name, queues, isolation_here().in_force)
    heartbeat = Heartbeat(open_telemetry(settings), process, METER, own)
    heartbeat.start()
    serve_own(settings)
    # Celery keeps weak references, and this one must outlive the call.
    worker_shutdown.connect(lambda **_: heartbeat.stop(), weak=False)


@worker_process_init.connect
def _tune(**_: Any) -> None:
    # JSON trees are acyclic: with everything imported frozen and rarer collections, decoding takes half the time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
