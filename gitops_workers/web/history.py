"""The history of an application, as the document `history/<app>` mirrors it from the destination cluster."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.model import AppId
from gitops_workers.ports import State

_FIELDS = {
    "id": "id",
    "revision": "revision",
    "ref": "ref",
    "deployedAt": "deployed_at",
    "initiatedBy": "initiated_by",
    "outcome": "outcome",
}


def history_of(state: State, app: AppId) -> list[dict[str, Any]]:
    """Finished deployments, newest first: `{id, revision, ref, deployedAt, initiatedBy, outcome, rollback}`.

    `rollback`: `exact` renders the same objects again; `commit` renders the commit with the parameters of today, which
    is all that was kept.
    """
    entries = state.load("history", app) or ()
    found = [
        {name: entry[field] for name, field in _FIELDS.items()}
        | {"rollback": "exact" if entry.get("exact") else "commit"}
        for entry in entries
    ]
    return sorted(found, key=lambda entry: int(entry["id"]), reverse=True)
