"""The diff that people read: only what would change, the same bytes every time, never too long."""

from typing import Any

import pytest

from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.text.unified_diff import LIMIT, diff, render

KEY = ObjectKey("apps", "Deployment", "shop", "web")
BASE: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"replicas": 1},
}


def test_a_change_is_shown_with_its_surroundings():
    assert diff(KEY, BASE, BASE | {"spec": {"replicas": 2}}) == (
        "--- live/Deployment.apps shop/web\n"
        "+++ desired/Deployment.apps shop/web\n"
        "@@ -3,4 +3,4 @@\n"
        " metadata:\n"
        "   name: web\n"
        " spec:\n"
        "-  replicas: 1\n"
        "+  replicas: 2\n"
    )


def test_equal_objects_have_no_diff():
    assert diff(KEY, BASE, dict(reversed(BASE.items()))) == ""
    assert diff(KEY, None, None) == ""


def test_what_the_server_writes_is_no_difference():
    written = {"uid": "1", "resourceVersion": "2", "generation": 3, "creationTimestamp": "t", "managedFields": [{}]}
    live = BASE | {"metadata": BASE["metadata"] | written, "status": {"replicas": 1}}
    assert diff(KEY, live, BASE) == ""


def test_a_new_object_and_a_gone_one_are_shown_whole():
    assert "+kind: Deployment\n" in diff(KEY, None, BASE)
    assert "-kind: Deployment\n" in diff(KEY, BASE, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain text", "a: plain text\n"),
        ("true", 'a: "true"\n'),
        (True, "a: true\n"),
        ("8080", 'a: "8080"\n'),
        (8080, "a: 8080\n"),
        ("1e3", 'a: "1e3"\n'),
        (None, "a: null\n"),
        ("", 'a: ""\n'),
        ("a: b", 'a: "a: b"\n'),
        ({}, "a: {}\n"),
        ([], "a: []\n"),
        (["x", {"b": 1, "c": [2]}], "a:\n- x\n- b: 1\n  c:\n  - 2\n"),
        ([["x", "z"]], "a:\n- - x\n  - z\n"),
        ("one\ntwo\n", "a: |\n  one\n  two\n"),
        ("one\n\ntwo", "a: |-\n  one\n\n  two\n"),
        ("one \ntwo", 'a: "one \\ntwo"\n'),
        ("\x1b[2Jgone", 'a: "\\u001b[2Jgone"\n'),
        ("over\u202eride", 'a: "over\\u202eride"\n'),
    ],
)
def test_every_value_has_one_unmistakable_form(value, expected):
    assert render({"a": value}) == expected


def test_a_long_diff_is_cut_and_says_so():
    after = {"data": {f"key{n:05}": "x" * 50 for n in range(3000)}}
    text = diff(KEY, {"data": {}}, after)
    assert LIMIT - 500 < len(text.encode()) <= LIMIT
    last = text.splitlines()[-1]
    assert last.startswith("... cut at 64 KiB: ")
    shown = sum(line.startswith("+  key") for line in text.splitlines())
    assert last.endswith(f" {3000 - shown} more lines")


def test_one_line_longer_than_the_limit_is_cut_too():
    text = diff(KEY, None, {"data": {"blob": "\N{SNOWMAN}" * LIMIT}})
    assert len(text.encode()) <= LIMIT
    assert "more lines" in text


def test_large_objects_are_compared_by_their_ends():
    lines = {f"key{n:05}": n for n in range(6000)}
    text = diff(KEY, {"data": lines}, {"data": lines | {"key03000": -1}})
    assert text.splitlines()[2:] == ["@@ -3002,1 +3002,1 @@", "-  key03000: 3000", "+  key03000: -1"]
