"""`sourceNamespaces`: globs and regular expressions, none of which can take long."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gitops_workers.core.text.name_patterns import matches_name, pattern_problem


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("team-*", "team-a", True),
        ("{team,dev}-?", "dev-a", True),
        ("{team,dev}-?", "dev-ab", False),
        ("[!k]*", "kube-system", False),
        ("/^team-(a|b)$/", "team-b", True),
        ("/^team-(a|b)$/", "team-c", False),
        ("/^team-[0-9]{2,3}$/", "team-12", True),
        ("/^team-[0-9]{2,3}$/", "team-1", False),
        # Searched for, as Argo CD does.
        ("/team/", "my-team-1", True),
        ("/^((?!kube).)*$/", "team", True),
        ("/^((?!kube).)*$/", "my-kube", False),
        # No expression, or none that can be used.
        ("/", "/", True),
        ("/team", "team", False),
        ("/team-(/", "team-(", False),
        ("/(a+)+$/", "aaaa", False),
        ("/[[:alpha:]]/", "a]", False),
    ],
)
def test_which_names_a_pattern_fits(pattern: str, name: str, fits: bool):
    assert matches_name(pattern, name) is fits


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*b",
        "((a+))+b",
        "(a|aa)+b",
        "(a?){30}a{30}",
        "(?:a+)+b",
        "(?:a|a)*b",
        "(x+x+)+y",
        "([a-z]+)*1",
        r"(a)\1",
        ".*.*.*.*x",
        "a?" * 30 + "a" * 30,
        "(a??)" * 26 + "b",
        "(a|a|a)" * 20 + "b",
        "[a||b]",
        "[1||",
        "[[:lower:]]",
        "a" * 300,
    ],
)
def test_an_expression_that_could_take_for_ever_or_mean_something_else_is_refused(pattern: str):
    assert "regular expression" in pattern_problem(f"/{pattern}/")
    assert not matches_name(f"/{pattern}/", "a" * 63)


@pytest.mark.parametrize(
    "pattern",
    ["^a-(b|c)?$", r"^a\.b\d+$", "[(a+)+]", "^[a-z]+-[a-z]+-[0-9]+$", "(?<=a)b*", "a*?b", "a*|b*|c*|d*|e", r"[\[\-\-]"],
)
def test_ordinary_expressions_are_not(pattern: str):
    assert pattern_problem(f"/{pattern}/") == ""


@example("a[[\\")
@example("[]~~")
@given(st.text(alphabet="ab()|*+?{}[]\\1,^$.:=!<", max_size=40))
def test_whatever_is_not_refused_is_read_and_runs(pattern: str):
    text = f"/{pattern}/"

    assert matches_name(text, "ab" * 31) in (True, False)
    if pattern_problem(text):
        assert not matches_name(text, "ab")
