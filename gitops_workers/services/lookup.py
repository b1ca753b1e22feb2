"""Finding the application that somebody names, for exactly those who may see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from heapq import nlargest
from operator import eq

from gitops_workers.core.errors import AmbiguousName, NoSuchApplication, WrongKey
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.status.rows import Status
from gitops_workers.ports import State

SHOWN = 5
"""Ids named in a message."""
SUGGESTED = 3
"""Bare names that are suggested for one that nothing has."""
LONGER, COMPARED = 3, 500
"""Letters that a suggestion may have more or fewer, and names that are compared: 10 ms in a fleet of 10,000."""
EVERY_PROJECT: frozenset[str] = frozenset()
"""What a caller sees who is limited to no project."""


def find(state: State, name: str, projects: Collection[str] = EVERY_PROJECT) -> Status:
    """The row of the application with this id, or with the end of one that is unique (`shop`, `argocd/shop`).

    `projects`: the caller sees applications of these only; all where it is empty. An application that the caller may
    not see gets the same answer, after the same reads, as one that does not exist. Raises NoSuchApplication and, when a
    name means several that the caller sees, AmbiguousName.
    """
    rows = {app: state.status(app) for app in _candidates(state, name)}
    seen = [app for app, row in rows.items() if not projects or (row is not None and row.project in projects)]
    require_unique(seen, name)
    row = rows[seen[0]] if seen else None
    if row is None:
        raise NoSuchApplication(f"no such application: {name!r}; {_advice(state, name, projects)}")
    return row


def named(known: Iterable[AppId], name: str) -> list[AppId]:
    """Those of the known ids that a name means: the id itself, else each one that ends with it."""
    ids = list(dict.fromkeys(known))
    return [name] if name in ids else [app for app in ids if app.endswith(f"/{name}")]


def require_unique(found: Sequence[AppId], name: str) -> None:
    """Raise AmbiguousName where a name has found several applications."""
    if len(found) > 1:
        raise AmbiguousName(f"{name!r} means {len(found)} applications: write {_one_of(found)}.")


def declared(state: State, app: AppId) -> Application:
    """The application as the catalogue last gave it. Raises NoSuchApplication and WrongKey."""
    found = state.application(app)
    if found is not None:
        return found
    if app not in state.applications():
        raise NoSuchApplication(f"no such application: {app!r}; it was there and is no longer declared.")
    raise WrongKey(
        f"{app}: what is stored cannot be read with this key, so workers would not read what this process writes "
        "either. Set GITOPS_CACHE_KEY (or GITOPS_STATE) to that of the workers."
    )


def subject(state: State, name: str, projects: Collection[str] = EVERY_PROJECT) -> AppId:
    """The id of an application whose events are asked for: also that of one which is gone and has left some.

    Raises as `find` does.
    """
    try:
        return find(state, name, projects).id
    except NoSuchApplication:
        if not projects and state.events(name, 1):
            return name
        raise


def _candidates(state: State, name: str) -> Sequence[AppId]:
    if name.count("/") == 2:
        return [name]
    # The row of an unknown name is read all the same: it must cost what a hidden one costs.
    return named(state.applications(), name) or [name]


def _advice(state: State, name: str, projects: Collection[str]) -> str:
    if projects:
        return f"only applications of {', '.join(sorted(projects))} are looked for."
    known = state.applications()
    if named(known, name):
        return "it is declared and has no status yet: repeat in a second."
    # Bare names are compared: the ids of all applications of one kind resemble each other.
    wanted = _bare(name)
    alike = {word for app in known if abs(len(word := _bare(app)) - len(wanted)) <= LONGER}
    compared = nlargest(COMPARED, alike, key=lambda word: sum(map(eq, word, wanted)))
    close = get_close_matches(wanted, compared, SUGGESTED)
    near = [app for word in close for app in known if _bare(app) == word]
    return f"do you mean {_one_of(near)}?" if near else "`gitops-workers app list` shows what there is."


def _bare(name: str) -> str:
    return name.rpartition("/")[2]


def _one_of(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return f"one of {shown}" if len(names) > 1 else shown
