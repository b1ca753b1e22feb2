"""The tree of commands. Its modules import nothing heavy before a command runs."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import typer

from gitops_workers.cli import (
    app_actions,
    app_delete,
    app_sync,
    apps,
    clusters,
    doctor,
    explaining,
    health,
    offline,
    plan,
    repos,
    tools,
    up,
)

_HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="gitops-workers",
    help="Runs the GitOps manifests you have (Argo CD's and Flux's) as Celery tasks.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)


def _group(name: str, about: str) -> typer.Typer:
    group = typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None, context_settings=_HELP)
    app.add_typer(group, name=name)
    return group


app.command(short_help="Run everything on this machine.")(up.up)
app.command(short_help="See it all at work: clusters, Git, a story.")(up.demo)
app.command(short_help="Check everything an installation needs.")(doctor.doctor)
app.command(short_help="Build the pinned programs.")(tools.tools)

app.command(short_help="Find every problem of manifests.")(offline.validate)
app.command(short_help="Print an application's objects as YAML.")(offline.render)
app.command(short_help="Replace ${variables} as Flux does.")(offline.substitute)
app.command(short_help="Tell the health of objects in files.")(health.health)
app.command(short_help="Tell what a sync would do, in order.")(plan.plan)

_apps = _group("app", "Applications: look, sync, wait.")
_apps.command("list", short_help="List applications.")(apps.list_applications)
_apps.command(short_help="Show one application.")(apps.get)
_apps.command(short_help="Say why nothing happens now.")(explaining.explain)
_apps.command(short_help="Show what differs from Git.")(apps.diff)
_apps.command(short_help="Compare and apply now.")(app_sync.sync)
_apps.command(short_help="Deploy an earlier state again.")(app_sync.rollback)
_apps.command(short_help="End the running operation.")(app_sync.terminate)
_apps.command(short_help="Wait until in sync and healthy.")(app_actions.wait)
_apps.command(short_help="List finished deployments.")(apps.history)
_apps.command(short_help="Print the objects that Git means.")(apps.manifests)
_apps.command(short_help="Leave applications alone.")(app_actions.suspend)
_apps.command(short_help="Undo suspend and pauses.")(app_actions.resume)
_apps.command(short_help="Delete what left the catalogue.")(app_delete.delete)

_clusters = _group("cluster", "Destination clusters.")
_clusters.command("list")(clusters.list_clusters)
_clusters.command()(clusters.get)

_repos = _group("repo", "Git repositories.")
_repos.command("list", short_help="List repositories.")(repos.list_repositories)
_repos.command(short_help="Print the commit a revision means.")(repos.resolve)

app.command()(clusters.events)


@app.command()
def version() -> None:
    """Print the version."""
    print(f"gitops-workers {installed_version('gitops-workers')}")
