"""The whole engine on one machine: an embedded Redis and every process, under one supervisor."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gitops_workers.core.errors import Refused
from gitops_workers.local.kube_programs import write_private
from gitops_workers.local.processes import environment, programs
from gitops_workers.local.redis_server import embedded_redis
from gitops_workers.local.supervisor import Say, Supervisor
from gitops_workers.settings import PREFIX, Settings, environment_of
from gitops_workers.wiring.stores import cache_key

RUNNING = "up.json"
"""In the state directory while the stack runs: `{pid, redis_url, environment}`, so that commands find it. Private."""
_SECRET = tuple(PREFIX + name for name in ("TOKENS", "WEBHOOK_SECRETS", "CACHE_KEY", "REDIS_URL"))


class AlreadyRuns(Refused):
    """Another stack uses the state directory, or somebody listens where we want to."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running engine."""

    settings: Settings
    """As given, with the Redis that is used."""
    supervisor: Supervisor

    @property
    def web(self) -> str:
        """The URL of API and webhooks."""
        return f"http://{self.settings.web_address}"

    @property
    def console(self) -> str:
        """The URL of Flower."""
        return f"http://{self.settings.console_address}"

    @property
    def logs(self) -> Path:
        """Where the processes write."""
        return self.settings.state_directory / "logs"


@contextlib.contextmanager
def stack(
    settings: Settings, *, say: Say, workers: int = 2, fleets: Sequence[str] = ("default",), console: bool = True
) -> Iterator[Stack]:
    """Run the engine while the block lasts; call `stack.supervisor.tend()` about once a second.

    Raises AlreadyRuns, RedisBusy, RedisMissing.
    """
    state = settings.state_directory.resolve()
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Refused(
            f"cannot make the state directory {state} ({error.strerror}): set GITOPS_STATE to another."
        ) from None
    with contextlib.ExitStack() as opened:
        _hold(opened, state)
        _check_free(settings.web_address, "GITOPS_WEB_ADDRESS")
        if console:
            _check_free(settings.console_address, "GITOPS_CONSOLE_ADDRESS")
        chosen = replace(settings, state=str(state))
        # In the environment, so that also those get it who look nowhere else.
        chosen = replace(chosen, cache_key=cache_key(chosen).hex())
        redis = None
        if not chosen.redis_url:
            redis = opened.enter_context(embedded_redis(state / "redis"))
            chosen = replace(chosen, redis_url=redis.url)
        supervisor = Supervisor(
            programs(workers=workers, fleets=fleets, console=console),
            logs=state / "logs",
            environment=environment(chosen, os.environ),
            cwd=state,
            say=say,
        )
        if redis is not None:
            supervisor.adopt(redis.child)
        opened.enter_context(supervisor)
        running = state / RUNNING
        write_private(running, json.dumps(_described(chosen)))
        opened.callback(running.unlink, missing_ok=True)
        yield Stack(chosen, supervisor)


def _described(settings: Settings) -> dict[str, object]:
    shown = {name: value for name, value in environment_of(settings).items() if name not in _SECRET}
    return {"pid": os.getpid(), "redis_url": settings.redis_url, "environment": shown}


def _hold(opened: contextlib.ExitStack, state: Path) -> None:
    lock = opened.enter_context((state / "up.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRuns(
            f"the engine runs already with state directory {state}: stop it, or set GITOPS_STATE to another directory."
        ) from None


def _check_free(address: str, setting: str) -> None:
    """Say now and in one sentence what a child would say later in its log, again and again."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except ValueError:
            raise AlreadyRuns(f"{setting}: {address!r} is no address to listen on; write host:port.") from None
        except OSError as error:
            taken = "somebody listens there already" if error.errno == errno.EADDRINUSE else str(error.strerror)
            raise AlreadyRuns(f"{setting}: cannot listen on {address} ({taken}): set it to another address.") from None
