"""`render`, `app manifests`: the objects that Git means, as YAML."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gitops_workers.adapters.catalogues import parse as location
from gitops_workers.cli.client import Engine
from gitops_workers.cli.files import documents, read_files
from gitops_workers.cli.offline_ports import offline_ports, render
from gitops_workers.cli.output import plain
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Application, Problem, Resolved
from gitops_workers.core.objects import Manifest
from gitops_workers.core.status.rows import Status
from gitops_workers.dialects import Parsed, parse
from gitops_workers.dialects.configs import ConfigObject
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, Document, load_file
from gitops_workers.services.lookup import named, require_unique
from gitops_workers.services.manifests import manifests, require_accepted
from gitops_workers.settings import Settings
from gitops_workers.yaml_events import dump_documents


def print_files(settings: Settings, names: Sequence[str], name: str) -> None:
    """Render every application that these files declare, or the one that `name` means.

    Raises InvalidManifest, with all errors of the files where they have some.
    """
    applications, configs = _declared(names)
    meant = named((app.id for app in applications), name)
    require_unique(meant, name)
    chosen = [app for app in applications if not name or app.id in meant]
    if not chosen:
        known = ", ".join(app.id for app in applications) or "none"
        wanted = f"no application {name!r}" if name else "no Application and no Kustomization"
        raise InvalidManifest(f"{wanted} in {', '.join(names)}: there are {known}.")
    with offline_ports(settings, configs) as context:
        objects: list[Manifest] = []
        for app in chosen:
            require_accepted(app)
            objects += render(context, app, context.sources.resolve(app.source))
    _print(objects)


def print_application(engine: Engine, status: Status) -> None:
    """Render a running application, at the commit it was last compared with. Values of Secrets are masked."""

    def rendered(app: Application, at: Resolved | None) -> Sequence[Manifest]:
        with offline_ports(engine.settings, _catalogue_configs(engine.settings)) as context:
            return render(context, app, at or context.sources.resolve(app.source))

    _print(manifests(engine.state, status, rendered))


def _catalogue_configs(settings: Settings) -> Sequence[ConfigObject]:
    """ConfigMaps that stand beside the applications, where the catalogue is a directory of this host."""
    folders = [location(text).folder for text in settings.catalogue]
    places = [str(folder) for folder in folders if folder is not None and folder.is_dir()]
    return _parsed(places)[0].configs if places else ()


def _declared(names: Sequence[str]) -> tuple[Sequence[Application], Sequence[ConfigObject]]:
    parsed, broken = _parsed(names)
    errors = [str(problem) for problem in (*broken, *parsed.problems) if not problem.known]
    if errors:
        raise InvalidManifest("\n".join(errors))
    return parsed.applications, parsed.configs


def _parsed(names: Sequence[str]) -> tuple[Parsed, list[Problem]]:
    """What these files hold, and the problems of those that could not be read."""
    loaded: list[Document] = []
    problems: list[Problem] = []
    for name, data in read_files(names, MANIFEST_SUFFIXES).items():
        found, broken = load_file(documents, data, name)
        loaded += found
        problems += broken
    return parse(loaded), problems


def _print(objects: Sequence[Manifest]) -> None:
    text = dump_documents(objects)
    # A pipe gets the data as it is; a person gets nothing that steers the terminal.
    print(plain(text) if sys.stdout.isatty() else text, end="")
