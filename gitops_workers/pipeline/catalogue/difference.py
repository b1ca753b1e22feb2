"""What a refresh of the catalogue has to do: the manifests as parsed beside the applications as stored. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_workers.core.documents.sets import Applications
from gitops_workers.core.model import AppId, Application, Problem
from gitops_workers.core.prune.deletion import objects_retained
from gitops_workers.dialects import Parsed
from gitops_workers.pipeline.catalogue import wake_dependents


@dataclass(frozen=True, slots=True)
class Difference:
    """Applications by what becomes of them. `before` and `wanted` and the others are by id."""

    before: Mapping[AppId, Application]
    wanted: Mapping[AppId, Application]
    """Declared and readable."""
    kept: Mapping[AppId, Application]
    """Declared wrongly now, or in a file that cannot be read: as they were."""
    needed: Mapping[AppId, Sequence[AppId]]
    """Which applications depend on each."""
    added: tuple[Application, ...]
    changed: tuple[Application, ...]
    flagged: tuple[Application, ...]
    """Applications whose dependents have changed, and nothing else."""
    gone: tuple[AppId, ...]

    @property
    def declared(self) -> dict[AppId, Application]:
        """Everything that is still declared."""
        return {**self.kept, **self.wanted}


def difference(
    before: Mapping[AppId, Application],
    declared: Iterable[Application],
    partial: Applications,
    parsed: Parsed,
    broken: Sequence[Problem],
) -> Difference:
    """The difference. `partial`: applications that a refresh has stored and perhaps not enrolled."""
    wanted: Mapping[AppId, Application] = {app.id: app for app in declared}
    kept: Mapping[AppId, Application] = _kept(before, wanted, parsed, broken)
    needed = wake_dependents.dependents_by_application({**kept, **wanted})
    wanted = wake_dependents.with_dependents_flag(wanted, needed)
    kept = wake_dependents.with_dependents_flag(kept, needed)
    now = (*wanted.values(), *kept.values())
    return Difference(
        before=before,
        wanted=wanted,
        kept=kept,
        needed=needed,
        added=tuple(app for app in wanted.values() if app.id not in before),
        changed=tuple(app for app in now if app.id in before and (before[app.id] != app or app.id in partial)),
        flagged=tuple(app for app in now if _flag_changed(before.get(app.id), app)),
        gone=tuple(sorted(set(before) - set(wanted) - set(kept))),
    )


def without_credentials(app: Application) -> Application:
    """An address is stored, shown and named in errors, so no password may stand in it: it is cut off and refused."""
    clean = app.source.shown
    if clean == app.source.url:
        return app
    refusal = (
        f"The repository's address {clean} is written with a login or a query: take that out and put the credential "
        "into a Secret (Argo CD: a repository Secret; Flux: spec.secretRef of the GitRepository)."
    )
    return replace(app, source=replace(app.source, url=clean), refusal=f"{refusal} {app.refusal}".strip())


def is_unread(app: Application, broken: Sequence[Problem]) -> bool:
    """Whether the application's file, or a folder that it was in, cannot be read."""
    return any(app.origin == problem.file or app.origin.startswith(f"{problem.file}/") for problem in broken)


def _kept(
    before: Mapping[AppId, Application],
    wanted: Mapping[AppId, Application],
    parsed: Parsed,
    broken: Sequence[Problem],
) -> dict[AppId, Application]:
    """Applications that are declared wrongly now, or stand in a file that cannot be read: as they were.

    One that was leaving is back when it is declared, however wrongly; a file that cannot be read says nothing of it.
    """
    return {
        app_id: objects_retained(app)
        for app_id, app in before.items()
        if app_id not in wanted and (app_id in parsed.rejected or (app.leaving is None and is_unread(app, broken)))
    }


def _flag_changed(before: Application | None, now: Application) -> bool:
    """Whether somebody depends on it now who did not, or the other way round: stored, and no reason to look at it."""
    return before is not None and before.needed != now.needed
