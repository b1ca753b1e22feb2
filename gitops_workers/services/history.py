"""The history of an application, as the document `history/<app>` mirrors it from the destination cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gitops_workers.core.documents.kinds import HISTORY
from gitops_workers.core.model import AppId
from gitops_workers.ports import State


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment that has ended. `exact`: a rollback renders the same objects again.

    Otherwise a rollback renders the commit with the parameters of today, which is all that was kept.
    """

    id: int
    revision: str = ""
    ref: str = ""
    deployed_at: str = ""
    initiated_by: str = ""
    outcome: str = ""
    exact: bool = False

    @property
    def rollback(self) -> str:
        """What a rollback to it renders: `exact`, or the `commit`."""
        return "exact" if self.exact else "commit"

    def to_json(self) -> dict[str, Any]:
        """What CLI and API give."""
        return {
            "id": self.id,
            "revision": self.revision,
            "ref": self.ref,
            "deployedAt": self.deployed_at,
            "initiatedBy": self.initiated_by,
            "outcome": self.outcome,
            "rollback": self.rollback,
        }


def history(state: State, app: AppId) -> tuple[Deployment, ...]:
    """The deployments that have ended, newest first."""
    rows = state.load(HISTORY, app)
    found = [
        Deployment(row.id, row.revision, row.ref, row.deployed_at, row.initiated_by, row.outcome, row.exact)
        for row in rows or ()
    ]
    return tuple(sorted(found, key=lambda entry: entry.id, reverse=True))
