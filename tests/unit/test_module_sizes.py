"""Modules stay small enough to be read at once: a long one is about several things, and is split along them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 300
MOST = 200
"""Lines that nine of ten modules stay below."""


def lines_of_modules() -> Mapping[str, int]:
    """Lines by the path of each module of the project."""
    found = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for package in ("gitops_workers", "scheduler")
        for path in (ROOT / package).rglob("*.py")
        if "samples" not in path.parts
    }
    assert found
    return found


def test_no_module_is_longer_than_the_limit() -> None:
    assert {path: lines for path, lines in lines_of_modules().items() if lines > LONGEST} == {}


def test_nine_of_ten_modules_are_clearly_shorter() -> None:
    longest_first = sorted(((lines, path) for path, lines in lines_of_modules().items()), reverse=True)
    long = [f"{path}: {lines}" for lines, path in longest_first if lines >= MOST]
    assert len(long) <= len(longest_first) // 10, "\n".join(long)
