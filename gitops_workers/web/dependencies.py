"""What an application depends on, as API and command line show it."""

from __future__ import annotations

from gitops_workers.core.model import AppId
from gitops_workers.ports import State


def dependencies_of(state: State, app: AppId) -> list[str]:
    """The ids it depends on; a name that means no application stays as it is written."""
    found = state.application(app)
    return [item.id for item in found.depends_on] if found else []
