"""`docs/architecture.md` shows the code as it is."""

from __future__ import annotations

import doctest
import re

import pytest

from docs import picture

PAGE = picture.PAGE.read_text()


def test_the_page_is_the_one_that_make_docs_writes() -> None:
    assert picture.updated(PAGE) == PAGE, "run make docs"


def test_every_path_that_the_page_names_exists() -> None:
    named = re.findall(r"`((?:gitops_workers|scheduler)/[\w/.]*)`", PAGE)
    assert named
    assert [path for path in named if not (picture.ROOT / path).exists()] == []


def test_a_new_import_between_packages_changes_the_picture() -> None:
    boxes = {"gitops_workers.cli.root": "cli", "gitops_workers.web.app": "web"}
    without, with_it = picture.drawn(boxes, {}), picture.drawn(boxes, {("cli", "web"): 1})
    assert with_it == f"{without}\n    cli --> web"


def test_an_import_that_closes_a_circle_is_dotted_and_hides_no_other() -> None:
    boxes = {f"gitops_workers.{name}.x": name for name in "abc"}
    imports = {("a", "b"): 5, ("b", "c"): 5, ("c", "a"): 1, ("a", "c"): 3}
    arrows = [line.strip() for line in picture.drawn(boxes, imports).splitlines() if ">" in line and "[" not in line]
    assert arrows == ["a --> b", "b --> c", "c -.-> a"]


def test_a_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="expected the markers"):
        picture.updated("# Architecture\n")


def test_the_examples_of_the_generator_hold() -> None:
    assert doctest.testmod(picture).failed == 0
