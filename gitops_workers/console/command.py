"""`celery -A gitops_workers.app console`: Flower with our pages, safe unless told otherwise.

Flower's own options, `FLOWER_` variables and configuration file all work. What differs are the defaults: loopback only,
read-only, relative times, 10,000 tasks in memory (100,000 take 430 MB).
"""

from __future__ import annotations

import atexit
import contextlib
import ipaddress
import logging
import os
import signal
import sys
from typing import Any

import click
from celery.bin.base import CeleryCommand
from flower.command import apply_env_options, apply_options, extract_settings, setup_logging
from flower.options import options
from flower.urls import settings as flower_settings

from gitops_workers.console.app import GitOpsFlower
from gitops_workers.settings import Settings, read, split_address
from gitops_workers.wiring.stores import open_queue, open_state, open_telemetry

log = logging.getLogger(__name__)


@click.command(cls=CeleryCommand, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def console(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Show applications and clusters in Flower; takes Flower's options."""
    settings = read(os.environ)
    configure(settings, arguments)
    application = GitOpsFlower(
        open_state(settings),
        open_queue(settings),
        open_telemetry(settings),
        options=options,
        capp=ctx.obj.app,
        **flower_settings,
    )
    atexit.register(application.stop)
    signal.signal(signal.SIGTERM, _stop)
    port = application.start_http_server()
    click.echo(f"Applications: {address(port)}", err=True)
    with contextlib.suppress(KeyboardInterrupt, SystemExit):
        application.start()


def configure(settings: Settings, arguments: tuple[str, ...]) -> None:
    """Set Flower's options: ours first, then the environment's, the file's and the command line's."""
    host, port = split_address(settings.console_address)
    options.address, options.port = host, port
    options.read_only = True
    options.max_tasks = 10_000
    options.natural_time = True
    options.tasks_columns = "name,args,state,result,received,runtime,worker"
    options.format_task = with_outcome
    apply_env_options()
    apply_options(sys.argv[0], arguments)
    extract_settings()
    setup_logging()
    if problem := refusal(options):
        raise click.UsageError(problem)


def with_outcome(task: Any) -> Any:
    """A task as the Tasks page shows it: a failed one has its outcome where the others have theirs."""
    if task.exception and not task.result:
        task.result = task.exception
    return task


def refusal(chosen: Any) -> str:
    """Why these options are not served, or "": a console without a login is for this machine only."""
    if chosen.persistent:
        return "--persistent keeps pickles on disk, which run as code when read back; leave it out"
    if chosen.unix_socket or chosen.basic_auth or chosen.auth or _is_loopback(chosen.address):
        return ""
    return (
        f"without a login the console listens on loopback only, not on {chosen.address or 'all addresses'}; "
        "set FLOWER_BASIC_AUTH=user:password, or use --auth"
    )


def address(port: int | None) -> str:
    """The address of the Applications page."""
    if port is None:
        return f"unix:{options.unix_socket}"
    scheme = "https" if "ssl_options" in flower_settings else "http"
    host = options.address or "127.0.0.1"
    prefix = (options.url_prefix or "").strip("/")
    place = f"[{host}]" if ":" in host else host
    return f"{scheme}://{place}:{port}/{prefix + '/' if prefix else ''}applications"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _stop(_number: int, _frame: object) -> None:
    sys.exit(0)
