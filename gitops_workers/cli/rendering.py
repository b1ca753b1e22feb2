"""`render`, `app manifests`: the objects that Git means, as YAML."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gitops_workers.adapters.yaml_events import dump_documents
from gitops_workers.cli.engine import Engine
from gitops_workers.cli.files import documents, read_files
from gitops_workers.cli.offline_world import offline_world, render, resolve
from gitops_workers.cli.output import plain
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import Manifest
from gitops_workers.core.status import Status
from gitops_workers.dialects import parse
from gitops_workers.dialects.configs import ConfigObject
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, Document, load_file
from gitops_workers.settings import Settings


def print_files(settings: Settings, names: Sequence[str], only: str) -> None:
    """Render every application that these files declare. Raises InvalidManifest with all errors of the files."""
    applications, configs = _declared(names)
    chosen = [app for app in applications if not only or app.id == only or app.id.endswith(f"/{only}")]
    if not chosen:
        known = ", ".join(app.id for app in applications) or "none"
        wanted = f"no application {only!r}" if only else "no Application and no Kustomization"
        raise InvalidManifest(f"{wanted} in {', '.join(names)}: there are {known}.")
    with offline_world(settings, configs) as world:
        objects: list[Manifest] = []
        for app in chosen:
            _refuse(app)
            objects += render(world, app, resolve(world, app))
    _print(objects)


def print_application(engine: Engine, status: Status) -> None:
    """Render a running application, at the commit it was last compared with."""
    app = engine.state.application(status.id)
    if app is None:
        raise InvalidManifest(
            f"{status.id}: what is stored cannot be read with this key; set GITOPS_CACHE_KEY (or GITOPS_STATE) to that "
            "of the workers."
        )
    _refuse(app)
    with offline_world(engine.settings) as world:
        at = Resolved(status.revision, status.ref) if status.revision else resolve(world, app)
        _print(render(world, app, at))


def _declared(names: Sequence[str]) -> tuple[Sequence[Application], Sequence[ConfigObject]]:
    loaded: list[Document] = []
    problems = []
    for name, data in read_files(names, MANIFEST_SUFFIXES).items():
        found, broken = load_file(documents, data, name)
        loaded += found
        problems += broken
    parsed = parse(loaded)
    errors = [str(problem) for problem in (*problems, *parsed.problems) if not problem.known]
    if errors:
        raise InvalidManifest("\n".join(errors))
    return parsed.applications, parsed.configs


def _refuse(app: Application) -> None:
    if app.refusal:
        raise Refused(f"{app.id}: {app.refusal}")


def _print(objects: Sequence[Manifest]) -> None:
    text = dump_documents(objects)
    # A pipe gets the data as it is; a person gets nothing that steers the terminal.
    print(plain(text) if sys.stdout.isatty() else text, end="")
