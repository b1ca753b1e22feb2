"""The source of a deployment as the history keeps it: enough to render the same objects again, and no credential.

The history stands in a ConfigMap beside the inventory, so it is bounded: what is too large is kept as URL, path,
commit and namespace, and a rollback to it renders that commit with the parameters of today.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gitops_workers.core import codec
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import Application, GitSource, RevisionSpec
from gitops_workers.core.record import HistoryEntry
from gitops_workers.core.render_spec import RenderSpec
from gitops_workers.core.urls import normalise_url, without_credentials

LARGEST = 64 * 1024
"""Bytes of one snapshot's JSON: fifty times what an application with inline values has."""
LARGEST_OF_ALL = 256 * 1024
"""Bytes of all snapshots of a record, which shares 900 KiB with the inventory; the oldest lose theirs first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was deployed. `render` None: only URL, path and commit are known."""

    url: str
    path: str
    revision: str
    """The commit."""
    target: RevisionSpec = field(default_factory=RevisionSpec)
    ignore: str | None = None
    render: RenderSpec | None = None
    namespace: str = ""
    """Where objects without a namespace of their own went."""


def snapshot(app: Application, commit: str) -> str:
    """The JSON text that the history keeps."""
    source, url = app.source, without_credentials(app.source.url)
    text = _text(
        Snapshot(url, source.path, commit, source.revision, source.ignore, app.render, app.destination.namespace)
    )
    return text if len(text) <= LARGEST else _reduced(text)


def is_exact(text: str) -> bool:
    """Whether a rollback renders the same objects again, whatever the application's parameters are today."""
    try:
        return _read(text).render is not None
    except ValueError:
        return False


def bounded(history: Sequence[HistoryEntry]) -> tuple[HistoryEntry, ...]:
    """The history with the parameters of its oldest entries left out where all would be too large."""
    left, kept = LARGEST_OF_ALL, []
    for entry in reversed(history):
        left -= len(entry.source)
        kept.append(entry if left >= 0 else replace(entry, source=_reduced(entry.source)))
    return tuple(reversed(kept))


def restored(app: Application, entry: HistoryEntry) -> Application:
    """The application as it was deployed by this entry. Raises Refused when the entry does not say.

    The credential is today's, and goes to the repository only that it is meant for.
    """
    try:
        found = _read(entry.source)
    except ValueError as error:
        raise Refused(f"{app.id}: entry {entry.id} of the history has no readable source ({error}).") from None
    source = app.source
    if normalise_url(found.url) != normalise_url(source.url):
        source = GitSource(found.url, timeout=source.timeout)
    if found.render is None:
        return replace(app, source=replace(source, path=found.path))
    source = replace(source, path=found.path, revision=found.target, ignore=found.ignore)
    return replace(app, source=source, render=found.render)


def homed(app: Application, entry: HistoryEntry) -> Application:
    """The application with the namespace of this deployment, where it has none: one that only its record tells of."""
    try:
        namespace = app.destination.namespace or _read(entry.source).namespace
    except ValueError:
        return app
    return replace(app, destination=replace(app.destination, namespace=namespace))


def _text(found: Snapshot) -> str:
    return json.dumps(codec.dump(found), separators=(",", ":"))


def _read(text: str) -> Snapshot:
    return codec.load(Snapshot, json.loads(text))


def _reduced(text: str) -> str:
    """Without what is large. One that cannot be read is kept: it is short, for nobody here wrote it."""
    try:
        found = _read(text)
    except ValueError:
        return text
    return _text(Snapshot(found.url, found.path, found.revision, namespace=found.namespace))
