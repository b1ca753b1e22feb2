"""The way from a command to the running engine: its Redis, by the ports State and Queue."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from gitops_workers.core.errors import Refused
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import Queue, State, Telemetry
from gitops_workers.services.changes import Backend, Caller
from gitops_workers.services.lookup import find
from gitops_workers.settings import Settings, read

RING = 64
"""Doorbells sent at once by a command; the beat's tick sends the rest."""
RUNNING = "up.json"
"""In the state directory while `up` runs (`local.stack`): `{pid, redis_url, environment}`."""


class NothingRuns(Refused):
    """There is no engine to talk to."""


def settings() -> Settings:
    """The settings of this environment. Raises InvalidManifest."""
    return read(os.environ)


@dataclass(frozen=True)
class Engine:
    """An installation, as far as commands use it."""

    settings: Settings

    @cached_property
    def state(self) -> State:
        """The status store."""
        from gitops_workers.wiring.stores import open_state  # noqa: PLC0415 - redis takes 60 ms, `--help` does without

        return open_state(self.settings)

    @cached_property
    def queue(self) -> Queue:
        """The due queue."""
        from gitops_workers.wiring.stores import open_queue  # noqa: PLC0415 - as above

        return open_queue(self.settings)

    @cached_property
    def telemetry(self) -> Telemetry:
        """The processes that have a heartbeat."""
        from gitops_workers.wiring.stores import open_telemetry  # noqa: PLC0415 - as above

        return open_telemetry(self.settings)

    @property
    def backend(self) -> Backend:
        """What the use cases need. A command has no log: what it asks for is told in the event stream alone."""
        from gitops_workers.pipeline.announcements import announce  # noqa: PLC0415 - readers do without structlog

        return Backend(self.state, self.queue, partial(announce, self.state, logged=False), self.ring)

    @property
    def caller(self) -> Caller:
        """The user of this terminal."""
        return Caller(user(), socket.gethostname())

    def ring(self) -> None:
        """Send what is due. Everything is stored already, so a broker that does not answer costs a tick of beat."""
        # The Celery application reads the environment when it is imported.
        os.environ["GITOPS_REDIS_URL"] = self.settings.redis_url
        from gitops_workers.app import celery_app  # noqa: PLC0415 - celery takes 300 ms, readers do without
        from gitops_workers.broker import send  # noqa: PLC0415

        with contextlib.suppress(Exception):  # as in `broker.publish`, and a command has no log
            send(celery_app, self.queue.dispatch(RING))

    def find(self, name: str) -> Status:
        """The row of the application that somebody names, see `services.lookup`."""
        return find(self.state, name)


def user() -> str:
    """The user who asks, for history and events."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that no passwd file knows
        return f"uid {os.getuid()}"


def open_engine() -> Engine:
    """The engine that the environment names, else the one that `up` runs with this state directory."""
    found = settings()
    if found.redis_url:
        return Engine(found)
    running = running_here(found.state_directory)
    if running is None:
        raise NothingRuns(
            f"nothing runs with state directory {found.state_directory}, and GITOPS_REDIS_URL is not set. Start "
            "everything here with `gitops-workers up --catalogue DIR --kubeconfig FILE`, or set GITOPS_REDIS_URL (and "
            "GITOPS_CACHE_KEY) to those of your installation."
        )
    # What `up` was told on its command line counts here too, unless this environment says otherwise.
    merged = read({**running["environment"], **os.environ})
    return Engine(replace(merged, redis_url=running["redis_url"]))


def running_here(state: Path) -> dict[str, Any] | None:
    """What `up` wrote down when it started; None when it has ended, however that was."""
    try:
        running = json.loads((state / RUNNING).read_text())
        # Signal 0 asks whether the process is there. After a kill -9 the file stays and the process does not.
        os.kill(int(running["pid"]), 0)
    except PermissionError:
        return None  # somebody else's process has the number by now, or the folder is not ours
    except (OSError, ValueError, KeyError):
        return None
    return dict(running)
