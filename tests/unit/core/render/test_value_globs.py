"""Globs of value files expand in the order of Argo CD's library, since the last file wins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.value_globs import expand, fixed_part
from gitops_workers.core.text.globs import matches_path

TREE = [
    "envs/z.yaml",
    "envs/a.yaml",
    "envs/nested/a.yaml",
    "envs/nested/deep/b.yaml",
    "envs/nested-b/c.yaml",
    "envs/nested/z.yml",
    "a.yaml",
]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        # a folder's own files before those of its subfolders
        (
            "envs/**/*.yaml",
            ["envs/a.yaml", "envs/z.yaml", "envs/nested/a.yaml", "envs/nested/deep/b.yaml", "envs/nested-b/c.yaml"],
        ),
        # a `**` at the end goes down where the folder's name stands
        (
            "envs/**",
            [
                "envs/a.yaml",
                "envs/nested/a.yaml",
                "envs/nested/deep/b.yaml",
                "envs/nested/z.yml",
                "envs/nested-b/c.yaml",
                "envs/z.yaml",
            ],
        ),
        # names are compared in their folder: `nested` before `nested-b`, although "-" comes before "/"
        ("envs/*/[ac].yaml", ["envs/nested/a.yaml", "envs/nested-b/c.yaml"]),
        ("envs/*.yaml", ["envs/a.yaml", "envs/z.yaml"]),
        # what braces stand for is sorted as text, in a pattern with `**` over all folders
        (
            "envs/**/*.{yml,yaml}",
            [
                "envs/a.yaml",
                "envs/nested-b/c.yaml",
                "envs/nested/a.yaml",
                "envs/nested/deep/b.yaml",
                "envs/nested/z.yml",
                "envs/z.yaml",
            ],
        ),
        ("envs/*/*.{yml,yaml}", ["envs/nested/a.yaml", "envs/nested/z.yml", "envs/nested-b/c.yaml"]),
        ("envs/{nested-b,nested}/*.yaml", ["envs/nested/a.yaml", "envs/nested-b/c.yaml"]),
        ("{envs/{z,a},a}.yaml", ["a.yaml", "envs/a.yaml", "envs/z.yaml"]),
        ("**/deep/*", ["envs/nested/deep/b.yaml"]),
        ("**/**/a.yaml", ["a.yaml", "envs/a.yaml", "envs/nested/a.yaml"]),
        ("envs/x*", []),
    ],
)
def test_files_come_in_the_order_of_the_walk(pattern, expected):
    assert expand(pattern, TREE) == expected
    assert expand(pattern, TREE[::-1]) == expected


NAMES = st.sampled_from(["a", "b", "a-b", "a.yaml", "b.yaml"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), max_size=12)
PARTS = st.sampled_from(["*", "**", "a*", "[ab]", "?", "{a,b}", "*.yaml", "a", "{a-b,b}*"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map("/".join).filter(lambda text: not text.endswith("/**"))


@given(PATHS, PATTERNS)
def test_every_file_that_matches_comes_once_and_no_other(paths, pattern):
    folders = {path.rsplit("/", count)[0] for path in paths for count in range(1, path.count("/") + 1)}
    files = sorted({path for path in paths if path not in folders})

    found = expand(pattern, files)

    assert len(found) == len(set(found))
    assert set(found) == {path for path in files if matches_path(pattern, path)}


@pytest.mark.parametrize("pattern", ["*" * 2000, "{" + ",".join("ab" * 150) + "}*", "{a,b}" * 12 + "*"])
def test_a_pattern_that_stands_for_too_much_is_refused(pattern):
    with pytest.raises(RenderFailed, match="glob"):
        expand(pattern, TREE)


def test_stars_over_stars_end():
    tree = [f"{'/'.join('abcd'[number % 4] for number in range(depth))}/x{depth}" for depth in range(1, 40)]

    assert len(expand("/".join(["**"] * 30) + "/x*", tree)) == len(tree)


@pytest.mark.parametrize(("pattern", "folder"), [("a/b/*.yaml", "a/b"), ("a/{b,c}/x*", "a"), ("*", ""), ("a/b", "a")])
def test_the_fixed_part_is_the_folder_before_the_first_sign(pattern, folder):
    assert fixed_part(pattern) == folder
