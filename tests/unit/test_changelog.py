"""CHANGELOG.md keeps the form that its first lines promise."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_release_has_each_kind_of_change_at_most_once() -> None:
    releases = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    assert releases[0].startswith("Unreleased\n")
    for release in releases:
        kinds = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)
        assert kinds
        assert set(kinds) <= KINDS
        assert len(kinds) == len(set(kinds)), "two parts of one kind: a merge left both"


def test_below_a_kind_of_change_stand_entries_and_nothing_else() -> None:
    for kind in re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]:
        lines = [line for line in kind.splitlines()[1:] if line and not line.startswith("## ")]
        assert lines, "a kind without an entry"
        assert [line for line in lines if not line.startswith(("- ", "  "))] == []


def test_no_entry_stands_twice() -> None:
    entries = sorted(line for line in TEXT.splitlines() if line.startswith("- "))
    assert [entry for entry, same in groupby(entries) if len(list(same)) > 1] == []
