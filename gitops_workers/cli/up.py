"""`up`: the engine on this machine; `demo`: the same with clusters, a Git server and a story."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_workers.cli.client import settings
from gitops_workers.cli.output import flat
from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import REFRESH_DONE
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.ports import StatusQuery
from gitops_workers.services.listing import rows

if TYPE_CHECKING:
    from gitops_workers.local.stack import Stack
    from gitops_workers.ports import State

TICK_SECONDS = 1.0


def up(
    catalogue: Annotated[
        list[str] | None, typer.Option(help="Directory of Applications, or git+URL#ref:path; repeatable.")
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option(help="Its contexts are the destination clusters.")] = None,
    workers: Annotated[int, typer.Option(help="Worker processes: one core each.", min=1, max=64)] = 2,
    concurrency: Annotated[int | None, typer.Option(help="Threads of a worker.", min=1, max=256)] = None,
    fleet: Annotated[list[str] | None, typer.Option(help="Fleets that the workers serve; repeatable.")] = None,
    console: Annotated[bool, typer.Option("--console/--no-console", help="Flower with the Applications page.")] = True,
) -> None:
    """Run everything on this machine: Redis, beat, workers, web and Flower, until Ctrl-C."""
    from gitops_workers.local.signals import Asked, end_when_asked  # noqa: PLC0415 - servers behind them; `--help` does without
    from gitops_workers.local.stack import stack  # noqa: PLC0415
    from gitops_workers.wiring.stores import open_state  # noqa: PLC0415

    found = settings()
    places = tuple(_absolute(place) for place in catalogue or found.catalogue)
    if not places:
        raise InvalidManifest("no catalogue: give --catalogue DIR, or set GITOPS_CATALOGUE.")
    chosen = replace(
        found,
        catalogue=places,
        kubeconfig=str(kubeconfig.expanduser().resolve()) if kubeconfig else found.kubeconfig,
        concurrency=concurrency or found.concurrency,
        loopback=True,
    )
    if kubeconfig and not kubeconfig.expanduser().is_file():
        raise InvalidManifest(f"--kubeconfig: {kubeconfig} is no file.")
    _say(f"starting with state directory {chosen.state_directory}")
    end_when_asked()
    try:
        with stack(chosen, say=_say, workers=workers, fleets=tuple(fleet or ["default"]), console=console) as running:
            _addresses(running, console)
            _attend(running, open_state(running.settings))
    except Asked:
        _say("ended")


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the story; exit code 0 only if all of it happened.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where everything is written and emptied before; .demo here if not given.")
    ] = None,
) -> None:
    """Two clusters, a Git server, sample repositories, the whole engine and a story to watch."""
    from gitops_workers.local.demo.run import FOLDER, run  # noqa: PLC0415 - as above

    raise typer.Exit(run(once=once, folder=folder or FOLDER))


def _attend(running: Stack, state: State) -> None:
    """Keep everything running; tell how far the first sync is, then who gets into trouble and who is well again."""
    from gitops_workers.core.errors import Retry  # noqa: PLC0415 - keeps the import list short

    teller = _Teller(state, time.monotonic())
    while True:
        time.sleep(TICK_SECONDS)
        running.supervisor.tend()
        # The supervisor says what is wrong with Redis.
        with contextlib.suppress(Retry):
            teller.tell()


@dataclass(slots=True)
class _Teller:
    """What has been told so far. `began` is monotonic."""

    state: State
    began: float
    over: bool = False
    troubles: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    line: str = ""

    def tell(self) -> None:
        """Print what is new since the last time."""
        from gitops_workers.local.progress import news, progress, troubles  # noqa: PLC0415 - keeps the import list short

        if not self.over:
            found = progress(rows(self.state, StatusQuery()), read=self.state.load(REFRESH_DONE, WHOLE) is not None)
            if found.line != self.line:
                _say(f"{time.monotonic() - self.began:4.0f} s  {found.line}")
            self.over, self.line = found.over, found.line
        now = troubles(rows(self.state, StatusQuery(failing=True)))
        for line in news(self.troubles, now):
            _say(f"        {line}")
        self.troubles = now
        self._remark()

    def _remark(self) -> None:
        from gitops_workers.pipeline.catalogue.remarks import remarks_of  # noqa: PLC0415 - as above

        found = remarks_of(self.state)
        new = [line for line in found.lines if line not in self.remarks]
        if new:
            _say(f"        {found.summary}")
        for line in new:
            _say(f"        {flat(line)}")
        self.remarks = found.lines


def _addresses(running: Stack, console: bool) -> None:
    if console:
        _say(f"Applications  {running.console}/applications")
    _say(f"API           {running.web}/api/docs   webhooks: POST {running.web}/api/webhook")
    _say(f"logs          {running.logs}")


def _absolute(place: str) -> str:
    from gitops_workers.adapters.catalogues import parse  # noqa: PLC0415 - parsers; `--help` does without

    folder = parse(place).folder
    if folder is None:
        return place
    path = folder.expanduser().resolve()
    if not path.is_dir():
        raise InvalidManifest(f"--catalogue: {flat(place)} is no directory.")
    return str(path)


def _say(line: str) -> None:
    print(line, flush=True)
