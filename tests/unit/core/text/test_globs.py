"""Globs match as Argo CD's do."""

from __future__ import annotations

import pytest

from gitops_workers.core.text.globs import is_glob, matches_directory, matches_path


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "sub/a.yaml", True),
        ("*.yaml", "a.yml", False),
        ("sub/*", "sub/x/y.yaml", True),
        ("sub/**", "sub/x/y.yaml", True),
        ("**/y.yaml", "sub/x/y.yaml", True),
        ("{a,b}.yaml", "b.yaml", True),
        ("{a,{b,c}}*.yaml", "cd.yaml", True),
        ("{a.yaml,env-*/*}", "env-x/b.yaml", True),
        ("?.yaml", "a.yaml", True),
        ("?.yaml", "ab.yaml", False),
        ("[a-c].yaml", "b.yaml", True),
        ("[!a-c].yaml", "b.yaml", False),
        (r"\*.yaml", "*.yaml", True),
        (r"\*.yaml", "a.yaml", False),
        ("a+(b).yaml", "a+(b).yaml", True),
        ("", "", True),
        ("a*b*c", "aXbYbZc", True),
        ("a*b*c", "aXbYbZ", False),
        ("*a*", "bab", True),
    ],
)
def test_directory_patterns(pattern, path, matches):
    assert matches_directory(pattern, path) is matches


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "sub/a.yaml", False),
        ("env/*/v.yaml", "env/a/v.yaml", True),
        ("env/*/v.yaml", "env/a/b/v.yaml", False),
        ("env/**/v.yaml", "env/a/b/v.yaml", True),
        ("env/**/v.yaml", "env/v.yaml", True),
        ("**", "a/b", True),
        ("a/**", "a/b/c", True),
        ("a**.yaml", "ab.yaml", True),
        ("a**.yaml", "a/b.yaml", False),
        ("{env,envs}/v-*.yaml", "envs/v-1.yaml", True),
        ("v-[0-9].yaml", "v-7.yaml", True),
    ],
)
def test_path_patterns(pattern, path, matches):
    assert matches_path(pattern, path) is matches


@pytest.mark.parametrize(
    ("text", "glob"), [("values.yaml", False), ("values-*.yaml", True), ("{a,b}.yaml", False), ("v[0].yaml", True)]
)
def test_what_is_a_glob(text, glob):
    assert is_glob(text) is glob
