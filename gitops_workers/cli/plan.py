"""`plan`: what a sync of files would do, in order, and why. Without cluster and Redis."""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitops_workers.cli import INVALID
from gitops_workers.cli.output import Column, Output, OutputOption, View, flat, show_rows

if TYPE_CHECKING:  # `--help` does without the core
    from gitops_workers.core.model import Application
    from gitops_workers.core.sync.preview import Planned

Files = Annotated[list[str], typer.Argument(metavar="FILE", help="The objects of an application, directories, or -.")]


class Order(enum.StrEnum):
    """Whose order and rules."""

    ARGOCD = "argocd"
    FLUX = "flux"


def plan(
    files: Files,
    live: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="What is in the cluster and managed; may be repeated.")
    ] = None,
    dialect: Annotated[Order, typer.Option(help="Whose order: Argo CD's waves, or Flux' stages.")] = Order.ARGOCD,
    namespace: Annotated[str, typer.Option("-n", "--namespace", help="Of objects that name none.")] = "default",
    prune: Annotated[bool, typer.Option(help="Delete live objects that the files do not have.")] = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Print the ordered tasks of a sync: phase, wave, action, object, and why. Exits with 2 for what is no object.

    Without an API server only the fields that the files name are compared.
    """
    from gitops_workers.cli.objects import read_objects  # noqa: PLC0415 - parsers; `--help` does without
    from gitops_workers.core.sync.preview import preview  # noqa: PLC0415

    wanted, existing = read_objects(files, to_apply=True), read_objects(live or [], to_apply=False)
    problems = (*wanted.problems, *existing.problems)
    if problems:
        for problem in problems:
            print(f"gitops-workers: {flat(problem)}", file=sys.stderr)
        raise typer.Exit(INVALID)
    found = preview(
        _application(dialect, namespace, prune=prune),
        [manifest for _, manifest in wanted.objects],
        [manifest for _, manifest in existing.objects],
    )
    show_rows(_view(), found.tasks, output)
    if found.consent:
        print(f"gitops-workers: these deletes need a human's consent. {flat(found.consent)}", file=sys.stderr)


def _view() -> View[Planned]:
    return View(
        columns=[
            Column("PHASE", lambda row: row.phase),
            Column("WAVE", lambda row: row.wave),
            Column("ACTION", lambda row: row.action),
            Column("OBJECT", lambda row: row.key),
            Column("WHY", lambda row: row.why),
        ],
        name=lambda row: f"{row.key.kind}/{row.key.namespace}/{row.key.name}",
        to_json=_to_json,
        nothing="nothing to do: there are no objects",
    )


def _to_json(row: Planned) -> dict[str, Any]:
    return {"phase": row.phase, "wave": row.wave, "action": row.action, **row.key._asdict(), "why": row.why}


def _application(order: Order, namespace: str, *, prune: bool) -> Application:
    """An application that has nothing but a name, for its marks and its order."""
    from gitops_workers.core.model import Application, Destination, Dialect, Schedule, SourceSpec  # noqa: PLC0415 - `--help` does without
    from gitops_workers.core.render.render_spec import RenderSpec  # noqa: PLC0415 - `--help` does without
    from gitops_workers.core.sync.sync_policy import SyncPolicy  # noqa: PLC0415 - `--help` does without

    return Application(
        id={Order.ARGOCD: "application/argocd/plan", Order.FLUX: "kustomization/flux-system/plan"}[order],
        dialect=Dialect(order.value),
        source=SourceSpec(""),
        render=RenderSpec(),
        destination=Destination(namespace=namespace),
        sync=SyncPolicy(automated=True, prune=prune),
        schedule=Schedule(0, 0, 0),
    )
