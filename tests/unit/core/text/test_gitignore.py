"""Ignore rules of Flux sources."""

from __future__ import annotations

import pytest

from gitops_workers.core.text.gitignore import Ignore


@pytest.mark.parametrize(
    ("rules", "path", "hidden"),
    [
        ("*.md", "README.md", True),
        ("*.md", "docs/a.md", True),
        ("docs/", "docs/a.yaml", True),
        ("docs/", "x/docs/a.yaml", True),
        ("docs/", "docs", False),
        ("/docs", "docs/a.yaml", True),
        ("/docs", "x/docs/a.yaml", False),
        ("a/b", "a/b/c.yaml", True),
        ("a/b", "x/a/b/c.yaml", False),
        ("**/b", "x/a/b", True),
        ("a/**/c", "a/x/y/c", True),
        ("a/**", "a/x/y", True),
        ("*\n!keep.yaml", "keep.yaml", False),
        ("*\n!keep.yaml", "drop.yaml", True),
        ("/*\n!/deploy", "deploy/a.yaml", False),
        ("/*\n!/deploy", "src/a.yaml", True),
        ("!a\na", "a", True),
        ("# comment\n\n", "# comment", False),
        ("a?c", "abc", True),
        ("nothing", ".gitignore", True),
        ("nothing", "photo.jpg", False),
        ("!.gitignore", ".gitignore", False),
    ],
)
def test_rules_of_the_manifest(rules, path, hidden):
    assert Ignore([], rules).hides(path) is hidden


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        (".gitignore", True),
        ("a/.gitmodules", True),
        ("photo.jpg", True),
        ("x/y.tar.gz", True),
        (".github/w.yaml", True),
        ("a/.sops.yaml", True),
        (".goreleaser.yml", True),
        ("codeship-steps.yml", True),
        ("a.yaml", False),
        ("github/a.yaml", False),
    ],
)
def test_the_defaults_without_any_rule(path, hidden):
    assert Ignore([], None).hides(path) is hidden


def test_a_file_speaks_about_its_own_folder():
    ignore = Ignore([("apps", "/a.yaml\nsecret\n")], None)

    assert ignore.hides("apps/a.yaml")
    assert ignore.hides("apps/deep/secret/x.yaml")
    assert not ignore.hides("a.yaml")
    assert not ignore.hides("secret/x.yaml")


def test_the_manifests_rules_come_last():
    assert not Ignore([("", "a.yaml")], "!a.yaml").hides("a.yaml")
