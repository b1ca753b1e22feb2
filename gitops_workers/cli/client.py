"""The way from a command to the running engine: its Redis, by the ports State and Queue."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import AppId
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import Queue, State, StatusQuery, Telemetry, Urgency
from gitops_workers.settings import Settings, read

PAGE = 500
"""Rows per question to the store: a few hundred kilobytes."""
RING = 64
"""Doorbells sent at once by a command; the beat's tick sends the rest."""
RUNNING = "up.json"
"""In the state directory while `up` runs (`local.stack`): `{pid, redis_url, environment}`."""


class NothingRuns(Refused):
    """There is no engine to talk to."""


class NoSuchApplication(Refused):
    """No application has this id or name."""


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
        """Who is there."""
        from gitops_workers.wiring.stores import open_telemetry  # noqa: PLC0415 - as above

        return open_telemetry(self.settings)

    def missing(self, cluster: str = "") -> Sequence[str]:
        """A sentence for each of beat and workers that nobody replaces; of all fleets, or of this cluster's."""
        fleets = [view.fleet for view in self.state.clusters() if cluster in ("", view.name)]
        return self.telemetry.presence().absences(fleets)

    def ask(self, app: AppId, reason: str) -> int:
        """Have somebody look at an application now; the generation that will have done it.

        Whatever the attempt must know is saved before: an attempt may begin before this returns.
        """
        generation = self.queue.request(app, reason, Urgency.MANUAL)
        if not generation:
            raise NoSuchApplication(f"{app} is not enrolled yet; wait until the catalogue has been read, then repeat.")
        return generation

    def ring(self) -> None:
        """Send what is due. Everything is stored already, so a broker that does not answer costs a tick of beat."""
        # The Celery application reads the environment when it is imported.
        os.environ["GITOPS_REDIS_URL"] = self.settings.redis_url
        from gitops_workers.app import celery_app  # noqa: PLC0415 - celery takes 300 ms, readers do without
        from gitops_workers.broker import send  # noqa: PLC0415

        with contextlib.suppress(Exception):  # as in `broker.publish`, and a command has no log
            send(celery_app, self.queue.dispatch(RING))

    def rows(self, query: StatusQuery) -> list[Status]:
        """All rows that a query means, page by page."""
        found: list[Status] = []
        while True:
            page = self.state.query(replace(query, offset=len(found), limit=PAGE))
            found += page.rows
            if not page.rows or len(found) >= page.total:
                return found

    def find(self, name: str) -> Status:
        """The application of an id or of a unique end of one (`guestbook`, `argocd/guestbook`)."""
        return self._status(self.identify(name))

    def identify(self, name: str) -> AppId:
        """Its id. Raises NoSuchApplication, and InvalidManifest when several fit."""
        known = self.state.applications()
        found = [app for app in known if app == name or app.endswith(f"/{name}")]
        if name in found:
            return name
        if len(found) > 1:
            raise InvalidManifest(f"{name!r} means {len(found)} applications: write {_some(found)}.")
        if not found:
            names = {app.rpartition("/")[2]: app for app in known} | {app: app for app in known}
            near = list(dict.fromkeys(names[key] for key in get_close_matches(name, names, 3)))
            advice = f"do you mean {_some(near)}?" if near else "`gitops-workers app list` shows what there is."
            raise NoSuchApplication(f"no application {name!r}: {advice}")
        return found[0]

    def _status(self, app: AppId) -> Status:
        status = self.state.status(app)
        if status is None:
            raise NoSuchApplication(f"{app} is declared and has no status yet; repeat in a second.")
        return status


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


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"one of {shown}" if len(names) > 1 else shown
