"""`python -m gitops_workers.process beat|worker`: the Celery processes, without Celery's command line.

`celery -A gitops_workers.app worker ...` with the same options works as well. It loads every installed command plug-in
first, Flower and its web server among them: 33 MB in each beat and worker that never serve a page.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence

from gitops_workers.core.telemetry.presence import CONTROL, FLEET_PREFIX
from gitops_workers.runtime.process_memory import stay_small


def main(words: Sequence[str] | None = None) -> int:
    """Run one process until a signal; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m gitops_workers.process", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("beat", help="decide when applications are looked at; any number of replicas")
    worker = kinds.add_parser("worker", help="do the work of one or more fleets")
    worker.add_argument("--fleet", action="append", help="a fleet to serve (default: default); may be repeated")
    worker.add_argument("--name", default=f"worker-{os.getpid()}", help="the node name before the @")
    chosen = parser.parse_args(words)
    stay_small()
    return run_beat() if chosen.kind == "beat" else run_worker(chosen.fleet or ["default"], chosen.name)


def run_beat() -> int:
    """The scheduler."""
    from gitops_workers.app import celery_app, settings  # noqa: PLC0415 - `--help` needs no broker

    celery_app.conf.include = ()  # it rings by name; what the tasks import would be a quarter of its memory
    celery_app.Beat(scheduler="scheduler.beat:DueScheduler", loglevel=settings.log_level, quiet=True).run()
    return 0


def run_worker(fleets: Sequence[str], name: str) -> int:
    """A worker for these fleets and for polls."""
    from gitops_workers.app import celery_app, settings  # noqa: PLC0415

    # Celery warns every root user on every start; whoever runs a container as root has been told by its Dockerfile.
    os.environ.setdefault("C_FORCE_ROOT", "true")
    worker = celery_app.Worker(
        hostname=f"{name}@{socket.gethostname()}",
        concurrency=settings.concurrency,
        queues=[CONTROL, *(FLEET_PREFIX + fleet for fleet in fleets)],
        loglevel=settings.log_level,
        quiet=True,
        # Every worker would read every other one's events: n squared, for nothing that is used. Heartbeats stay:
        # Flower's Workers page lives on them, and an idle worker costs 0.13 % of a core with them and 0.12 % without.
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
