"""Which commit a revision means."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Resolved, RevisionKind, RevisionSpec
from gitops_workers.core.source.revisions import (
    History,
    NeedsBranch,
    NeedsCommit,
    NeedsDates,
    RevisionNotFound,
    needs_listing,
    resolve,
)


def commit(letter: str) -> str:
    return letter * 40


HEAD = "refs/heads/main"
REFS = {
    "HEAD": commit("1"),
    "refs/heads/main": commit("1"),
    "refs/heads/prod": commit("2"),
    "refs/heads/feature/login": commit("3"),
    "refs/heads/clash": commit("4"),
    "refs/heads/v2.0.0": commit("5"),
    "refs/heads/abcdef1": commit("6"),
    "refs/tags/clash": commit("7"),
    "refs/tags/v2.0.0": commit("8"),
    "refs/tags/v2.1.0": commit("9"),
    "refs/tags/v3.0.0-rc.1": commit("a"),
    "refs/tags/1.2": commit("b"),
    "refs/tags/nightly": commit("c"),
    "refs/tags/prod-2024": commit("d"),
    "refs/tags/prod-2025": commit("e"),
    "refs/tags/solo-1": commit("f"),
    "refs/pull/1/head": commit("0"),
}


@pytest.mark.parametrize(
    ("value", "expected", "ref"),
    [
        ("", "1", "main"),
        ("HEAD", "1", "main"),
        ("main", "1", "main"),
        ("feature/login", "3", "feature/login"),
        ("refs/heads/prod", "2", "prod"),
        ("refs/tags/nightly", "c", "nightly"),
        ("nightly", "c", "nightly"),
        ("pull/1/head", "0", "refs/pull/1/head"),
        ("refs/pull/1/head", "0", "refs/pull/1/head"),
        ("heads/prod", "2", "prod"),
        # a branch and a tag of one name: the branch, unless it is a version
        ("clash", "4", "clash"),
        ("refs/tags/clash", "7", "clash"),
        ("v2.0.0", "8", "v2.0.0"),
        ("refs/heads/v2.0.0", "5", "v2.0.0"),
        # an exact version is the tag of exactly that name
        ("1.2", "b", "1.2"),
        # constraints mean tags
        ("2.0.x", "8", "v2.0.0"),
        ("*", "9", "v2.1.0"),
        (">=2.0.0", "9", "v2.1.0"),
        (">=2.0.0-0", "a", "v3.0.0-rc.1"),
        ("^2 || ^9", "9", "v2.1.0"),
        # a name that could be the start of a commit is a name
        ("abcdef1", "6", "abcdef1"),
        ("solo-*", "f", "solo-1"),
    ],
)
def test_argo_cd_revisions(value: str, expected: str, ref: str) -> None:
    assert resolve(RevisionSpec(value=value), REFS, HEAD) == Resolved(commit(expected), ref)


@pytest.mark.parametrize("value", ["ABCDEF" + "0" * 34, "abcdef" + "0" * 34])
def test_a_full_commit_is_itself_whatever_the_repository_shows(value: str) -> None:
    spec = RevisionSpec(value=value)
    assert not needs_listing(spec)
    assert resolve(spec, {}, "") == Resolved(value.lower())


@pytest.mark.parametrize("kind", [RevisionKind.ARGOCD, RevisionKind.BRANCH, RevisionKind.TAG, RevisionKind.SEMVER])
def test_everything_else_needs_the_listing(kind: RevisionKind) -> None:
    assert needs_listing(RevisionSpec(kind, "main"))


def test_a_short_commit_asks_for_history() -> None:
    spec = RevisionSpec(value="DEADBEEF")
    assert resolve(spec, REFS, HEAD) == NeedsCommit("deadbeef")
    full = "deadbeef" + "0" * 32
    assert resolve(spec, REFS, HEAD, History(commits={"deadbeef": full})) == Resolved(full)
    with pytest.raises(RevisionNotFound, match="all 40 digits"):
        resolve(spec, REFS, HEAD, History(commits={"deadbeef": None}))


def test_an_all_digit_short_commit_is_no_version() -> None:
    assert resolve(RevisionSpec(value="1234567"), REFS, HEAD) == NeedsCommit("1234567")


@pytest.mark.parametrize("pattern", ["prod-*", "prod-20??", "prod-[0-9]*", "*rod-202*"])
def test_a_pattern_is_the_newest_tag_by_creation_date(pattern: str) -> None:
    spec = RevisionSpec(value=pattern)
    assert resolve(spec, REFS, HEAD) == NeedsDates(("prod-2024", "prod-2025"))
    older_wins = History(dates={"prod-2024": 20, "prod-2025": 10})
    assert resolve(spec, REFS, HEAD, older_wins) == Resolved(commit("d"), "prod-2024")
    tied = History(dates={"prod-2024": 10, "prod-2025": 10})
    assert resolve(spec, REFS, HEAD, tied) == Resolved(commit("e"), "prod-2025")


def test_a_tag_without_a_date_is_asked_for_again_and_never_left_out() -> None:
    partly = History(dates={"prod-2024": 20})
    assert resolve(RevisionSpec(value="prod-*"), REFS, HEAD, partly) == NeedsDates(("prod-2024", "prod-2025"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("mian", "'mian' not found; the repository has main, "),
        ("prdo", "has prod, "),
        ("9.9.9", "'9.9.9' not found"),
        ("v1.2", "'v1.2' not found"),
        ("9.x", "matches none of the 9 tags"),
        ("nope-*", "no tag matches the pattern 'nope-*'"),
        ("abc123", "'abc123' not found"),
        ("refs/heads/none", "correct the revision or push it"),
        ("--upload-pack=touch x", "not found"),
    ],
)
def test_what_is_missing_is_said_with_what_there_is(value: str, said: str) -> None:
    with pytest.raises(RevisionNotFound) as caught:
        resolve(RevisionSpec(value=value), REFS, HEAD)
    assert said in str(caught.value)


def test_at_most_five_names_are_offered() -> None:
    refs = {f"refs/heads/team-{number}": commit("1") for number in range(5_000)}
    with pytest.raises(RevisionNotFound) as caught:
        resolve(RevisionSpec(value="team-x"), refs, "")
    assert str(caught.value).count("team-") == 6
    assert "and 4995 more" in str(caught.value)


@pytest.mark.parametrize(
    ("refs", "head", "said"),
    [
        ({}, "", "push a first commit"),
        ({"refs/heads/x": commit("1")}, "refs/heads/main", "HEAD points at refs/heads/main, which does not exist"),
        ({"refs/heads/x": commit("1")}, "", "the server shows no HEAD"),
    ],
)
def test_a_default_branch_that_is_not_there(refs: dict[str, str], head: str, said: str) -> None:
    with pytest.raises(RevisionNotFound, match=said):
        resolve(RevisionSpec(), refs, head)


@pytest.mark.parametrize(
    ("kind", "value", "expected", "ref"),
    [
        (RevisionKind.BRANCH, "clash", "4", "clash"),
        (RevisionKind.TAG, "clash", "7", "clash"),
        (RevisionKind.NAME, "refs/pull/1/head", "0", "refs/pull/1/head"),
        (RevisionKind.NAME, "refs/heads/main", "1", "refs/heads/main"),
        (RevisionKind.SEMVER, ">=2.0.0 <3.0.0", "9", "v2.1.0"),
        (RevisionKind.SEMVER, "1.2", "b", "1.2"),
        (RevisionKind.COMMIT, "ab" * 20, "", ""),
    ],
)
def test_flux_revisions(kind: RevisionKind, value: str, expected: str, ref: str) -> None:
    assert resolve(RevisionSpec(kind, value), REFS, HEAD) == Resolved(commit(expected) or "ab" * 20, ref)


def test_flux_without_a_branch_means_master() -> None:
    with pytest.raises(RevisionNotFound, match="branch 'master' not found"):
        resolve(RevisionSpec(RevisionKind.BRANCH), REFS, HEAD)
    assert resolve(RevisionSpec(RevisionKind.BRANCH), {"refs/heads/master": commit("1")}, "") == Resolved(
        commit("1"), "master"
    )


def test_a_flux_commit_must_be_on_its_branch() -> None:
    spec = RevisionSpec(RevisionKind.COMMIT, "ab" * 20, "main")
    assert resolve(spec, REFS, HEAD) == NeedsBranch("ab" * 20, "main")
    assert resolve(spec, REFS, HEAD, History(on_branch=True)) == Resolved("ab" * 20, "main")
    with pytest.raises(RevisionNotFound, match="not on branch 'main'"):
        resolve(spec, REFS, HEAD, History(on_branch=False))


@pytest.mark.parametrize("length", [7, 12, 39])
def test_the_beginning_of_a_flux_commit_is_that_commit_where_it_is_unambiguous(length: int) -> None:
    short = ("ab" * 20)[:length]
    for branch in (None, "main"):
        spec = RevisionSpec(RevisionKind.COMMIT, short, branch)
        assert resolve(spec, REFS, HEAD) == NeedsCommit(short)
        with pytest.raises(RevisionNotFound, match="not the start of exactly one commit"):
            resolve(spec, REFS, HEAD, History(commits={short: None}))
        found = resolve(spec, REFS, HEAD, History(commits={short: "ab" * 20}, on_branch=True))
        assert found == Resolved("ab" * 20, branch or "")


def test_tags_that_differ_in_build_metadata_only_are_told_apart_by_age() -> None:
    refs = {"refs/tags/v1.0.0+a": commit("1"), "refs/tags/v1.0.0+b": commit("2")}
    spec = RevisionSpec(RevisionKind.SEMVER, "1.x")
    assert resolve(spec, refs, "") == NeedsDates(("v1.0.0+a", "v1.0.0+b"))
    dates = History(dates={"v1.0.0+a": 2, "v1.0.0+b": 1})
    assert resolve(spec, refs, "", dates) == Resolved(commit("1"), "v1.0.0+a")


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (RevisionKind.COMMIT, "abc12", "spec.ref.commit"),
        (RevisionKind.SEMVER, "latest", "spec.ref.semver"),
    ],
)
def test_what_can_never_match_is_an_invalid_manifest(kind: RevisionKind, value: str, said: str) -> None:
    with pytest.raises(InvalidManifest, match=said):
        resolve(RevisionSpec(kind, value), REFS, HEAD)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (RevisionKind.BRANCH, "nightly"),
        (RevisionKind.TAG, "main"),
        (RevisionKind.NAME, "main"),
        (RevisionKind.SEMVER, ">9"),
    ],
)
def test_flux_names_are_not_guessed(kind: RevisionKind, value: str) -> None:
    with pytest.raises(RevisionNotFound):
        resolve(RevisionSpec(kind, value), REFS, HEAD)
