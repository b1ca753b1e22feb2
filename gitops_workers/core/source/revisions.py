"""Which commit a revision means, decided from one listing of the repository's refs.

`refs` is what ls-remote shows: full ref name -> commit, annotated tags peeled, `HEAD` among them; `head` is the ref
that HEAD points at. A revision is resolved once per attempt and the commit is used from then on.

Argo CD (3.5, targetRevision), in this order:

1.  40 hexadecimal digits are a commit, as they are.
2.  "" and `HEAD` are the default branch.
3.  An exact version (`v1.2.0`, `1.2`) means the tag of exactly that name; when there is none, rule 5.
4.  A semver constraint means the highest tag that satisfies it; branches never, tags that are no versions are skipped.
5.  A name: the full ref name, then branch, then tag, then anything under refs/ (`pull/1/head`). Argo CD takes the first
    match of a listing and leaves a clash of branch and tag to chance; here the branch wins, and rule 3 makes the tag
    win for versions. `refs/tags/x` and `refs/heads/x` say it without doubt.
6.  7 to 39 hexadecimal digits are the commit that starts so.

Beyond Argo CD: a name with `*`, `?` or `[` that is no constraint (`prod-*`) means the newest matching tag by creation
date; of tags of the same second the highest name.

Flux: commit (on its branch, when one is given; by rule 6 where only its beginning is written), full name, tag, semver,
branch (`master` when none is given). Of tags that differ only in build metadata the newest wins.
"""

from __future__ import annotations

import difflib
import fnmatch
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import Resolved, RevisionKind, RevisionSpec
from gitops_workers.core.text.semver import highest, parse_constraint, parse_version

HEAD = "HEAD"
BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
_COMMIT = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
_SHORT = re.compile(r"[0-9a-f]{7,39}", re.IGNORECASE)
_NEAR = 5
"""Names offered in a message."""
_COMPARED = 2_000
"""Names looked through for near ones: the comparison costs 10 us each."""


class RevisionNotFound(Refused):
    """The repository has no such revision now; asked again at every poll, since a push can bring it."""


@dataclass(frozen=True, slots=True)
class NeedsCommit:
    """Ask `Repositories.resolve_short(source, prefix)` and put the answer into `History.commits`."""

    prefix: str


@dataclass(frozen=True, slots=True)
class NeedsDates:
    """Ask `Repositories.tag_times(source, tags)` (short names) and put the answer into `History.dates`."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeedsBranch:
    """Fetch the commit, ask `Repositories.on_branch(source, commit, branch)`, put the answer into `History`."""

    commit: str
    branch: str


@dataclass(frozen=True, slots=True)
class History:
    """What a listing cannot tell; filled in by the caller when `resolve` asks for it."""

    commits: Mapping[str, str | None] = field(default_factory=dict)
    dates: Mapping[str, int] | None = None
    on_branch: bool | None = None


Answer = Resolved | NeedsCommit | NeedsDates | NeedsBranch


def needs_listing(spec: RevisionSpec) -> bool:
    """Whether the refs matter: a full commit means itself whatever the repository shows."""
    if spec.kind in (RevisionKind.ARGOCD, RevisionKind.COMMIT):
        return not _COMMIT.fullmatch(spec.value)
    return True


def resolve(spec: RevisionSpec, refs: Mapping[str, str], head: str, history: History = History()) -> Answer:
    """Return the commit, or what else has to be known first.

    Raises RevisionNotFound (nothing matches now) and InvalidManifest (the text can never match).
    """
    commit = _commit(spec, history)
    if commit is not None:
        return commit
    if not refs:
        raise RevisionNotFound(
            f"revision {spec.value or HEAD!r} not found: the repository has no branch and no tag; push a first commit"
        )
    match spec.kind:
        case RevisionKind.ARGOCD:
            return _argocd(spec.value, refs, head, history)
        case RevisionKind.TAG:
            return _exactly(TAGS + spec.value, spec.value, "tag", refs)
        case RevisionKind.BRANCH:
            branch = spec.value or "master"
            return _exactly(BRANCHES + branch, branch, "branch", refs)
        case RevisionKind.NAME:
            return _exactly(spec.value, spec.value, "ref", refs)
        case _:
            return _semver(spec.value, refs, history)


def short_name(ref: str) -> str:
    """`main` of `refs/heads/main`, `v1` of `refs/tags/v1`; other refs stay whole."""
    return ref.removeprefix(BRANCHES) if ref.startswith(BRANCHES) else ref.removeprefix(TAGS)


def tag_names(refs: Mapping[str, str]) -> tuple[str, ...]:
    """The short names of all tags, in the listing's order."""
    return tuple(name.removeprefix(TAGS) for name in refs if name.startswith(TAGS))


def is_pattern(value: str) -> bool:
    """Whether an Argo CD revision is a name pattern (`prod-*`); no ref name has these characters."""
    return any(sign in value for sign in "*?[") and parse_constraint(value) is None


def _commit(spec: RevisionSpec, history: History) -> Answer | None:
    if spec.kind is RevisionKind.ARGOCD:
        return Resolved(spec.value.lower()) if _COMMIT.fullmatch(spec.value) else None
    if spec.kind is not RevisionKind.COMMIT:
        return None
    commit = spec.value.lower()
    if not _COMMIT.fullmatch(commit):
        if not _SHORT.fullmatch(commit):
            raise InvalidManifest(f"spec.ref.commit: {spec.value!r} is no commit; write 7 to 40 hexadecimal digits")
        found = _short_commit(commit, history)
        if not isinstance(found, Resolved):
            return found
        commit = found.commit
    if spec.branch is None:
        return Resolved(commit)
    if history.on_branch is None:
        return NeedsBranch(commit, spec.branch)
    if not history.on_branch:
        raise RevisionNotFound(
            f"commit {commit} is not on branch {spec.branch!r}; name the branch that has it, or remove the branch"
        )
    return Resolved(commit, spec.branch)


def _argocd(value: str, refs: Mapping[str, str], head: str, history: History) -> Answer:
    if value in ("", HEAD):
        return _default_branch(refs, head)
    why = ""
    if parse_version(value) is not None:
        if TAGS + value in refs:
            return Resolved(refs[TAGS + value], value)
    elif (constraint := parse_constraint(value)) is not None:
        names = tag_names(refs)
        best = highest(constraint, names)
        if best:
            tag = max(best)
            return Resolved(refs[TAGS + tag], tag)
        why = f" (as a semver constraint it matches {_none_of(names)})"
    for full in (value, BRANCHES + value, TAGS + value, f"refs/{value}"):
        if full in refs:
            return Resolved(refs[full], short_name(full))
    if is_pattern(value):
        return _newest(value, refs, history)
    if _SHORT.fullmatch(value):
        return _short_commit(value.lower(), history)
    raise RevisionNotFound(f"revision {value!r} not found{why}; {_offer(value, refs)}")


def _default_branch(refs: Mapping[str, str], head: str) -> Resolved:
    commit = refs.get(HEAD) or refs.get(head)
    if commit:
        return Resolved(commit, short_name(head) if head else HEAD)
    missing = f"HEAD points at {head}, which does not exist" if head else "the server shows no HEAD"
    raise RevisionNotFound(f"the default branch is unknown: {missing}; name a branch in targetRevision")


def _short_commit(prefix: str, history: History) -> Resolved | NeedsCommit:
    if prefix not in history.commits:
        return NeedsCommit(prefix)
    commit = history.commits[prefix]
    if commit is None:
        raise RevisionNotFound(
            f"revision {prefix!r} is no branch or tag, and not the start of exactly one commit; write all 40 digits"
        )
    return Resolved(commit)


def _newest(pattern: str, refs: Mapping[str, str], history: History) -> Resolved | NeedsDates:
    tags = tuple(tag for tag in tag_names(refs) if fnmatch.fnmatchcase(tag, pattern))
    if not tags:
        raise RevisionNotFound(f"no tag matches the pattern {pattern!r}; {_offer(pattern, refs, TAGS)}")
    return _latest(tags, refs, history)


def _latest(tags: Sequence[str], refs: Mapping[str, str], history: History) -> Resolved | NeedsDates:
    """The newest of the tags. A tag without a date is unknown, so it asks again and never guesses."""
    if len(tags) == 1:
        return Resolved(refs[TAGS + tags[0]], tags[0])
    dates = history.dates
    if dates is None or not all(tag in dates for tag in tags):
        return NeedsDates(tuple(tags))
    tag = max(tags, key=lambda name: (dates[name], name))
    return Resolved(refs[TAGS + tag], tag)


def _semver(value: str, refs: Mapping[str, str], history: History) -> Resolved | NeedsDates:
    constraint = parse_constraint(value)
    if constraint is None:
        raise InvalidManifest(f"spec.ref.semver: {value!r} is no semver constraint; write one like '>=1.2.0 <2.0.0'")
    names = tag_names(refs)
    best = highest(constraint, names)
    if not best:
        raise RevisionNotFound(f"semver {value!r} is satisfied by {_none_of(names)}; {_offer(value, refs, TAGS)}")
    return _latest(best, refs, history)


def _none_of(tags: Sequence[str]) -> str:
    return "not even the only tag" if len(tags) == 1 else f"none of the {len(tags)} tags"


def _exactly(full: str, name: str, what: str, refs: Mapping[str, str]) -> Resolved:
    if full in refs:
        return Resolved(refs[full], name)
    raise RevisionNotFound(f"{what} {name!r} not found; {_offer(name, refs)}")


def _offer(value: str, refs: Mapping[str, str], *kinds: str) -> str:
    """What exists, near names first: `the repository has main, prod; correct the revision or push it`."""
    names = [name for name in refs if name.startswith(kinds or (BRANCHES, TAGS))]
    if not names:
        return f"the repository has no {'tag' if kinds else 'branch and no tag'}; push one"
    short = list(dict.fromkeys(short_name(name) for name in itertools.islice(names, _COMPARED)))
    near = difflib.get_close_matches(short_name(value), short, _NEAR, 0.6)
    shown = list(dict.fromkeys([*near, *short]))[:_NEAR]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"the repository has {', '.join(shown)}{more}; correct the revision or push it"
