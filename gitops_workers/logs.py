"""Logs: one line per event, its name a constant, its data in fields; JSON for machines, columns for people."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from gitops_workers.core.text.redact import scrub
from gitops_workers.settings import Settings


def configure(settings: Settings) -> None:
    """Send our events and the libraries' lines through one pipeline to standard error."""
    level = getattr(logging, settings.log_level.upper(), logging.INFO)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Before the scrubbing, and plain: a traceback by rich shows the variables of every frame.
        structlog.processors.format_exc_info,
        _scrubbed,
    ]
    render: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "console":
        plain = structlog.dev.plain_traceback
        render = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Celery logs two lines per task at INFO: with 200 applications a minute that is noise and 20 % of the task rate.
    for name in ("celery.worker.strategy", "celery.app.trace", "kombu", "httpx", "urllib3"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _scrubbed(_logger: Any, _name: str, event: Any) -> Any:
    """URLs with credentials appear in the errors of many libraries: take them out of every line (T17)."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = scrub(value)
    return event
