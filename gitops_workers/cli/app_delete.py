"""`app delete`: confirming, hurrying or giving up the deletion of applications whose manifests are gone."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gitops_workers.cli.arguments import Apps
from gitops_workers.cli.client import open_engine
from gitops_workers.cli.output import flat
from gitops_workers.cli.requests import submit
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.services import deletion


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
    planned = [deletion.delete(engine.backend, engine.caller, app, cascade) for app in apps]
    for change in planned:
        print(f"{flat(change.app)}: {_about_to(engine.find(change.app).cluster, cascade)}", file=sys.stderr)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidManifest("nobody is here to ask: repeat with --yes if that is meant.")
        typer.confirm("Is that meant?", abort=True, err=True)
    submit(engine, planned)


def _about_to(cluster: str, cascade: Cascade | None) -> str:
    if cascade is Cascade.ORPHAN:
        return "is forgotten, and its objects stay in the cluster"
    return f"its objects in cluster {flat(cluster)} are deleted, also those that ask for a confirmation"
