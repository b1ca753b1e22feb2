"""The source of a deployment as the history keeps it: enough to render the same objects again, and no credential.

The history stands in a ConfigMap beside the inventory, for everybody who may read ConfigMaps. So the parameters, into
which users write passwords, are sealed, and it is bounded: what is too large is kept as URL, path, commit and
namespace, and a rollback to it renders that commit with the parameters of today.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gitops_workers.core.documents import codec
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import GIT, Application, RevisionSpec, SourceSpec
from gitops_workers.core.record.record import HistoryEntry
from gitops_workers.core.render.render_spec import RenderSpec

LARGEST = 64 * 1024
"""Bytes of one snapshot's JSON: fifty times what an application with inline values has."""
LARGEST_OF_ALL = 256 * 1024
"""Bytes of all snapshots of a record, which shares 900 KiB with the inventory; the oldest lose theirs first."""


Close = Callable[[str, bytes], bytes]
"""Seals a content for a place."""
Open = Callable[[str, bytes], bytes | None]
"""What was sealed for a place; None when it was not sealed for it, or by others."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was deployed. Neither `sealed` nor `render`: only URL, path and commit are known."""

    url: str
    path: str
    revision: str
    """The commit."""
    target: RevisionSpec = field(default_factory=RevisionSpec)
    ignore: str | None = None
    sealed: str = ""
    """The RenderSpec's JSON, sealed, in base64."""
    render: RenderSpec | None = None
    """The same in clear: what the first releases wrote."""
    namespace: str = ""
    """Where objects without a namespace of their own went."""
    kind: str = GIT
    """The source's."""


def snapshot(app: Application, commit: str, close: Close) -> str:
    """The JSON text that the history keeps."""
    source, url = app.source, app.source.shown
    render = json.dumps(codec.dump(app.render), separators=(",", ":")).encode()
    sealed = b64encode(close(_place(app, commit), render)).decode()
    text = _text(
        Snapshot(
            url,
            source.path,
            commit,
            source.revision,
            source.ignore,
            sealed,
            namespace=app.destination.namespace,
            kind=source.kind,
        )
    )
    return text if len(text) <= LARGEST else _reduced(text)


def is_exact(text: str) -> bool:
    """Whether a rollback renders the same objects again, whatever the application's parameters are today."""
    try:
        found = _read(text)
    except ValueError:
        return False
    return bool(found.sealed) or found.render is not None


def bounded(history: Sequence[HistoryEntry]) -> tuple[HistoryEntry, ...]:
    """The history with the parameters of its oldest entries left out where all would be too large."""
    left, kept = LARGEST_OF_ALL, []
    for entry in reversed(history):
        left -= len(entry.source)
        kept.append(entry if left >= 0 else replace(entry, source=_reduced(entry.source)))
    return tuple(reversed(kept))


def restored(app: Application, entry: HistoryEntry, opened: Open) -> Application:
    """The application as it was deployed by this entry. Raises Refused when the entry does not say.

    The credential is today's, and goes to the repository only that it is meant for.
    """
    try:
        found = _read(entry.source)
    except ValueError as error:
        raise Refused(f"{app.id}: entry {entry.id} of the history has no readable source ({error}).") from None
    source = app.source
    deployed = SourceSpec(found.url, timeout=source.timeout, kind=found.kind)
    if deployed.identity != source.identity:
        source = deployed
    render = _render(app, entry, found, opened)
    if render is None:
        return replace(app, source=replace(source, path=found.path))
    source = replace(source, path=found.path, revision=found.target, ignore=found.ignore)
    return replace(app, source=source, render=render)


def homed(app: Application, entry: HistoryEntry) -> Application:
    """The application with the namespace of this deployment, where it has none: one that only its record tells of."""
    try:
        namespace = app.destination.namespace or _read(entry.source).namespace
    except ValueError:
        return app
    return replace(app, destination=replace(app.destination, namespace=namespace))


def _render(app: Application, entry: HistoryEntry, found: Snapshot, opened: Open) -> RenderSpec | None:
    if not found.sealed:
        return found.render
    try:
        text = opened(_place(app, found.revision), b64decode(found.sealed, validate=True))
        if text is not None:
            return codec.load(RenderSpec, json.loads(text))
    except ValueError:
        pass
    raise Refused(
        f"{app.id}: the parameters of entry {entry.id} of the history were sealed with another GITOPS_CACHE_KEY. Start"
        f" the workers with the key of that time, or sync its commit with the parameters of today"
        f" (`gitops-workers app sync {app.id} --revision {found.revision}`)."
    )


def _place(app: Application, commit: str) -> str:
    return f"history {app.id} {commit}"


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
    return _text(Snapshot(found.url, found.path, found.revision, namespace=found.namespace, kind=found.kind))
