"""Manifests: which application at which commit is rendered for somebody who wants to read its objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gitops_workers.core.diff.masking import mask
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import Manifest
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import State
from gitops_workers.services.lookup import declared

Render = Callable[[Application, Resolved | None], Sequence[Manifest]]
"""Renders at this commit, or at the one that the application's revision means now."""


def manifests(state: State, status: Status, render: Render) -> list[Manifest]:
    """The objects that Git means, at the commit that the application was last compared with; Secrets are masked.

    Raises NoSuchApplication, WrongKey, Refused where the manifest is not accepted, and what `render` raises.
    """
    app = declared(state, status.id)
    require_accepted(app)
    at = Resolved(status.revision, status.ref) if status.revision else None
    return [masked for item in render(app, at) if (masked := mask(item, None)[0]) is not None]


def require_accepted(app: Application) -> None:
    """Raise Refused where the application's manifest uses what is not supported."""
    if app.refusal:
        raise Refused(f"{app.id}: {app.refusal}")
