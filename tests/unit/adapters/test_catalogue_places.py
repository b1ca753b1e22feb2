"""The prefix of a setting says which kind of catalogue it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_workers.adapters.catalogues import parse


@pytest.mark.parametrize("text", ["clusters", "./clusters", "/srv/git+x", "~/fleet"])
def test_a_text_without_a_known_prefix_is_a_directory_of_this_host(text):
    location = parse(text)

    assert location.folder == Path(text)
    assert location.name == str(Path(text))


def test_a_repository_is_no_directory_of_this_host_and_is_named_without_its_password():
    location = parse("git+https://u:canary@git.example.com/team/fleet.git#main:clusters")

    assert location.folder is None
    assert location.name == "git+https://git.example.com/team/fleet.git#main:clusters"
