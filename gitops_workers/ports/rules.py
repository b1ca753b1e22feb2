"""Rules that users write: health in Lua and CEL, ignored differences in jq, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gitops_workers.core.model import Application, Health, IgnoreRule
from gitops_workers.core.objects import Manifest
from gitops_workers.core.policy.project import SyncWindow


class Rules(Protocol):
    """What users say in Lua, CEL and jq, and what the installation's `argocd-cm` says for all applications.

    Whatever a rule does (loop, eat memory, crash) ends within about a second and costs this one answer.
    """

    def health(self, app: Application, live: Manifest) -> Health | None:
        """The health of a live object: by a user's rule for its kind, else by the dialect's own.

        A rule that fails makes it Unknown with the reason. None: the kind has no health.
        """

    def check(self, app: Application) -> None:
        """Raises InvalidManifest naming the first expression of the application that cannot be read.

        Raises Retry where the installation's own rules are not known.
        """

    def governed(self, app: Application) -> Application:
        """The application under what the installation's settings say about all of them.

        Raises InvalidManifest naming a setting that concerns it and is not done.
        """

    def mark(self, app: Application) -> str:
        """One word for all rules that count for the application; "" where there are none."""

    def ignored(self, app: Application) -> tuple[IgnoreRule, ...]:
        """The differences to leave alone: the application's and the installation's."""

    def paths(
        self, expressions: Sequence[str], manifests: Sequence[Manifest]
    ) -> Sequence[tuple[tuple[str | int, ...], ...]]:
        """The places that jq path expressions mean in each manifest. Raises Refused for one that had to be stopped."""

    def holds(self, expression: str, variables: Mapping[str, Any]) -> bool:
        """Whether a CEL expression is true for these variables. Raises Refused when it cannot be evaluated."""


class Calendar(Protocol):
    """When sync windows are open. Moments are epoch seconds."""

    def is_open(self, window: SyncWindow, now: float) -> bool:
        """Whether it is open at this moment."""

    def next_change(self, window: SyncWindow, now: float) -> float | None:
        """When it opens next, or closes if it is open; None when neither ever happens."""
