"""Constraints mean what Masterminds/semver 3.5.0 says: every row of the table was printed by that library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.text.semver import MAX_CONSTRAINT, highest, parse_constraint, parse_version

VERSIONS = (
    "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.2.0 v1.2.3 1.2.3-alpha 1.2.3-beta.2 1.2.4 1.3.0-rc.1 1.3.7 1.4.9 2.0.0-rc.1 "
    "2.0.0 2.1 3.5.0"
).split()
RELEASES = " ".join(version for version in VERSIONS if "-" not in version)

ADMITTED = [
    ("*", RELEASES),
    ("x", RELEASES),
    ("1.x", "1.0.0 1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("1", "1.0.0 1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("1.2", "1.2.0 v1.2.3 1.2.4"),
    ("v1.2", "1.2.0 v1.2.3 1.2.4"),
    ("1.2.x", "1.2.0 v1.2.3 1.2.4"),
    ("1.2.3", "v1.2.3"),
    ("=1.2.3", "v1.2.3"),
    ("!=1.2.3", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.2.0 1.2.4 1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    ("!=1.2", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    ("!=1", "0.0.0 0.0.3 0.2.3 0.3.0 2.0.0 2.1 3.5.0"),
    (">1", "2.0.0 2.1 3.5.0"),
    (">1.2", "1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    (">1.2.3", "1.2.4 1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    (">=1.2", "1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    (">= 1.2.3", "v1.2.3 1.2.4 1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    ("<1.2", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0"),
    ("<=1", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("<=1.2", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.2.0 v1.2.3 1.2.4"),
    ("<=1.2.3", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.2.0 v1.2.3"),
    ("=>1.2.3", "v1.2.3 1.2.4 1.3.7 1.4.9 2.0.0 2.1 3.5.0"),
    ("=<1.2.3", "0.0.0 0.0.3 0.2.3 0.3.0 1.0.0 1.2.0 v1.2.3"),
    ("~1", "1.0.0 1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("~1.2", "1.2.0 v1.2.3 1.2.4"),
    ("~1.2.3", "v1.2.3 1.2.4"),
    ("~>1.2.3", "v1.2.3 1.2.4"),
    ("~0.0.0", RELEASES),
    ("^1.2", "1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("^1.2.3", "v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("^0", "0.0.0 0.0.3 0.2.3 0.3.0"),
    ("^0.2", "0.2.3"),
    ("^0.2.3", "0.2.3"),
    ("^0.0", "0.0.0 0.0.3"),
    ("^0.0.3", "0.0.3"),
    ("^*", "0.0.0"),
    ("1.2 - 1.4", "1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    ("1.2.0 - 1.4.5", "1.2.0 v1.2.3 1.2.4 1.3.7"),
    (">=1.2 <2", "1.2.0 v1.2.3 1.2.4 1.3.7 1.4.9"),
    (">=1.2, <2, !=1.3.x", "1.2.0 v1.2.3 1.2.4 1.4.9"),
    ("1.2.x || 2.x", "1.2.0 v1.2.3 1.2.4 2.0.0 2.1"),
    ("<1 || >=3", "0.0.0 0.0.3 0.2.3 0.3.0 3.5.0"),
    (">=1.2.0-0", "1.2.0 v1.2.3 1.2.3-alpha 1.2.3-beta.2 1.2.4 1.3.0-rc.1 1.3.7 1.4.9 2.0.0-rc.1 2.0.0 2.1 3.5.0"),
    ("~1.2.3-0", "v1.2.3 1.2.3-alpha 1.2.3-beta.2 1.2.4"),
    ("^1.2.3-beta", "v1.2.3 1.2.3-beta.2 1.2.4 1.3.0-rc.1 1.3.7 1.4.9"),
    (">=1.2.0-0 <2", "1.2.0 v1.2.3 1.2.3-alpha 1.2.3-beta.2 1.2.4 1.3.0-rc.1 1.3.7 1.4.9 2.0.0-rc.1"),
    (">1.5 || 2.0.0-0", "2.0.0 2.1 3.5.0"),
    ("!=1.2.3-0", " ".join(VERSIONS)),
    ("1.2.3+build", "v1.2.3"),
]


@pytest.mark.parametrize(("constraint", "admitted"), ADMITTED)
def test_a_constraint_admits_what_the_library_admits(constraint: str, admitted: str) -> None:
    parsed = parse_constraint(constraint)
    assert parsed is not None
    versions = [version for text in VERSIONS if (version := parse_version(text))]
    assert [version.text for version in versions if parsed.admits(version)] == admitted.split()


@pytest.mark.parametrize(
    "text",
    [
        *("", "||", "1.2 || ", "1..2", "1.2.3.4", "a", "main", ">=", "~x1", "1.2.3-01", "> = 1", "1,,2", "latest"),
        *(">1.2 && <2", "1.2 1.0 - 2.0", "prod-*", "1 " * 300, "||".join(["1"] * 33), "1.18446744073709551616"),
    ],
)
def test_what_is_no_constraint_is_none(text: str) -> None:
    assert parse_constraint(text) is None


@pytest.mark.parametrize("text", ["1", "v1.2", "1.2.3", "v1.2.3-rc.1+build.5", "01.2", "2024.10.7", "1.2.3-a-b"])
def test_versions_as_tags_spell_them(text: str) -> None:
    version = parse_version(text)
    assert version is not None
    assert version.text == text


@pytest.mark.parametrize("text", ["", "V1.2", "1.2.", "1.2.3.4", "1.x", "main", "1.2.3-01", " 1", "1" * 300])
def test_what_is_no_version_is_none(text: str) -> None:
    assert parse_version(text) is None


def test_versions_are_ordered_as_semver_orders_them() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11"]
    ordered += ["1.0.0-rc.1", "1.0.0", "1.0.1-2", "1.0.1-10", "1.0.1-a", "1.0.1", "1.2", "1.10", "2"]
    versions = [version for text in reversed(ordered) if (version := parse_version(text))]
    assert [version.text for version in sorted(versions, key=lambda item: item.key)] == ordered


def test_the_highest_skips_what_is_no_version_and_keeps_equal_ones() -> None:
    constraint = parse_constraint("1.x")
    assert constraint is not None
    assert highest(constraint, ["v1.9.0", "1.10.0+a", "release-1.99", "1.10.0+b", "2.0.0", "1.11.0-rc1"]) == (
        "1.10.0+a",
        "1.10.0+b",
    )
    assert highest(constraint, ["2.0.0", "main"]) == ()


@given(st.text(alphabet="0129xX*.-+ ,|<>=!~^vabc\t", max_size=MAX_CONSTRAINT))
def test_any_text_is_a_constraint_or_none(text: str) -> None:
    parsed = parse_constraint(text)
    version = parse_version("1.2.3")
    assert version is not None
    assert parsed is None or parsed.admits(version) in (True, False)
