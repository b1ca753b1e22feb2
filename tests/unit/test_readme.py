"""The README says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_workers.dialects import undone
from gitops_workers.settings import table

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_settings_table_is_the_one_that_the_code_prints() -> None:
    assert table() in README


def test_the_table_of_what_is_not_done_is_the_one_that_the_code_prints() -> None:
    assert undone.table() in README


@pytest.mark.parametrize(
    "name",
    ["`spec.source.tagPrefix`", "`.argocd-source.yaml`", "`spec.sourceHydrator`", "`enableLfs`", "`ApplicationSet`"],
)
def test_what_is_not_done_is_found_wherever_it_is_decided(name: str) -> None:
    assert name in undone.table()


def test_every_file_the_readme_links_to_exists() -> None:
    links = [part.partition(")")[0] for part in README.split("](")[1:]]
    local = [link for link in links if "://" not in link]
    assert local
    assert [link for link in local if not (Path(__file__).parents[2] / link).exists()] == []
