"""`cluster list|get` and `events`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gitops_workers.cli.client import open_engine
from gitops_workers.cli.output import Output, OutputOption, flat, paint, show_rows, show_value
from gitops_workers.core.errors import Refused
from gitops_workers.core.status.rows import ClusterView, Event
from gitops_workers.services.lookup import subject

FOLLOW_SECONDS = 1.0


def list_clusters(output: OutputOption = Output.TABLE) -> None:
    """List destination clusters with their queues."""
    from gitops_workers.cli.views import clusters  # noqa: PLC0415 - `--help` does without

    show_rows(clusters(), open_engine().state.clusters(), output)


def get(
    name: Annotated[str, typer.Argument(metavar="CLUSTER", help="Its name in the configuration.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one cluster."""
    known = {view.name: view for view in open_engine().state.clusters()}
    if name not in known:
        raise Refused(f"no cluster {name!r}: there are {', '.join(sorted(known)) or 'none'}.")
    if output is Output.NAME:
        print(flat(name))
    elif output in (Output.JSON, Output.YAML):
        show_value(known[name].to_json(), output)
    else:
        _describe(known[name])


def events(
    app: Annotated[str, typer.Argument(metavar="[APP]", help="Only this application's.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 100,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on printing as they come.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what happened, newest last."""
    from gitops_workers.cli.views import EVENTS  # noqa: PLC0415 - as above

    engine = open_engine()
    chosen = subject(engine.state, app) if app else None
    seen = list(reversed(engine.state.events(chosen, limit)))
    show_rows(EVENTS, seen, output)
    while follow:
        time.sleep(FOLLOW_SECONDS)
        latest = list(reversed(engine.state.events(chosen, 1000)))
        for event in _after(latest, seen[-1] if seen else None):
            print(
                f"{event.at}  {paint(event.type)}  {flat(event.app)}  {flat(event.reason)}  {flat(event.message)}",
                flush=True,
            )
        seen = latest or seen


def _after(events: list[Event], last: Event | None) -> list[Event]:
    ids = [event.id for event in events]
    return events[ids.index(last.id) + 1 :] if last is not None and last.id in ids else events


def _describe(view: ClusterView) -> None:
    lines = {
        "Name": view.name,
        "Server": view.server,
        "Fleet": view.fleet,
        "Reachable": {True: "yes", False: "no", None: "not known yet"}[view.reachable],
        "Version": view.version,
        "Applications": view.applications,
        "Waiting": view.queue_depth,
        "In work": view.in_flight,
        "Lag": f"{view.lag:.1f} s",
        "Workers": view.workers,
        "No worker": view.unserved.partition(" since ")[2] or view.unserved,
        "Checked": view.checked_at,
        "Message": view.message,
    }
    for title, text in lines.items():
        if text != "":
            print(f"{title + ':':<14}{flat(text)}")
