"""One application with its objects, and what of it differs from Git."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_workers.core.model import AppId, SyncStatus
from gitops_workers.core.status.rows import ResourceView, Status
from gitops_workers.ports import State
from gitops_workers.services.history import Deployment, history


@dataclass(frozen=True, slots=True)
class Details:
    """An application's row with its objects, its history and the ids that it depends on."""

    status: Status
    depends_on: tuple[AppId, ...]
    """A name that means no application stays as it is written."""
    resources: tuple[ResourceView, ...]
    history: tuple[Deployment, ...]

    def to_json(self) -> dict[str, Any]:
        """What `app get -o json` and the API give."""
        return {
            **self.status.to_json(),
            "dependsOn": list(self.depends_on),
            "resources": [view.to_json() for view in self.resources],
            "history": [entry.to_json() for entry in self.history],
        }


@dataclass(frozen=True, slots=True)
class Diff:
    """The objects that differ from Git, as of the last look.

    Where `sync` is Unknown, no object says little: `message` tells why nothing could be compared.
    """

    sync: SyncStatus
    message: str
    resources: tuple[ResourceView, ...]

    @property
    def clean(self) -> bool:
        """Whether the cluster is known to be as Git says."""
        return not self.resources and self.sync is not SyncStatus.UNKNOWN


def details(state: State, status: Status) -> Details:
    """Everything that is shown of one application."""
    app = state.application(status.id)
    depends_on = tuple(item.id for item in app.depends_on) if app else ()
    return Details(status, depends_on, tuple(state.resources(status.id)), history(state, status.id))


def diff(state: State, status: Status) -> Diff:
    """What differs. An object that has left Git differs, too, and has no text of a difference."""
    differing = (view for view in state.resources(status.id) if view.status is not SyncStatus.SYNCED)
    return Diff(status.sync, status.message, tuple(differing))
