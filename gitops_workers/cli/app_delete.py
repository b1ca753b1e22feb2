"""`app delete`: confirming, hurrying or giving up the deletion of applications whose manifests are gone."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from gitops_workers.cli import requests
from gitops_workers.cli.arguments import Apps
from gitops_workers.cli.client import Engine, open_engine
from gitops_workers.cli.output import flat
from gitops_workers.cli.requests import unreadable, user
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import Application
from gitops_workers.core.prune.deletion import DELETE_REQUEST, reject_reason, to_document
from gitops_workers.core.prune.deletion_request import Cascade


def delete(
    apps: Apps,
    cascade: Annotated[
        Cascade | None, typer.Option(help="How its objects go, or that they stay; the manifest's choice if not given.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete applications whose manifests have left the catalogue: also those that wait for a human's yes.

    An application that is declared is deleted by removing its manifest.
    """
    engine = open_engine()
    chosen = [_leaving(engine, engine.identify(app)) for app in apps]
    for app in chosen:
        print(f"{flat(app.id)}: {_about_to(app, cascade)}", file=sys.stderr)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidManifest("nobody is here to ask: repeat with --yes if that is meant.")
        typer.confirm("Is that meant?", abort=True, err=True)
    for app in chosen:
        engine.state.save(DELETE_REQUEST, app.id, to_document(app, cascade, user()))
        engine.state.discard("override", app.id)  # whoever deletes it does not want it to rest
        generation = engine.ask(app.id, f"delete asked by {user()}")
        asked = replace(requests.wish(engine, app.id, "delete"), details=f"cascade {cascade}" if cascade else "")
        engine.state.add_events([asked.accepted(generation)])
        print(f"{flat(app.id)}: delete asked")
    engine.ring()


def _leaving(engine: Engine, app_id: str) -> Application:
    app = engine.state.application(app_id)
    if app is None:
        raise unreadable(app_id)
    if reason := reject_reason(app):
        raise requests.refused(engine, app_id, "delete", Refused(reason))
    return app


def _about_to(app: Application, cascade: Cascade | None) -> str:
    if cascade is Cascade.ORPHAN:
        return "is forgotten, and its objects stay in the cluster"
    place = app.destination.name or app.destination.server
    return f"its objects in cluster {flat(place)} are deleted, also those that ask for a confirmation"
