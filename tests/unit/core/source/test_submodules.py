"""URLs of submodules, relative to their parents' as git reads them."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import UnsafeContent
from gitops_workers.core.source.submodules import absolute_url


@pytest.mark.parametrize(
    ("parent", "url", "expected"),
    [
        ("https://h/a/b.git", "../c.git", "https://h/a/c.git"),
        ("https://h/a/b.git/", "../c.git", "https://h/a/c.git"),
        ("https://h/a/b", "./c", "https://h/a/b/c"),
        ("https://h/a/b", "../../c/d", "https://h/c/d"),
        ("https://h:8443/a", "../c", "https://h:8443/c"),
        ("https://h/a/b", ".././c/", "https://h/a/c"),
        ("ssh://git@h:22/a/b", "../c", "ssh://git@h:22/a/c"),
        ("git@h:a/b.git", "../c.git", "git@h:a/c.git"),
        ("git@h:a/b", "../../c", "git@h:c"),
        ("file:///srv/a.git", "../b.git", "file:///srv/b.git"),
        ("https://h/a", "https://other/x", "https://other/x"),
        ("https://h/a", "git@h:x", "git@h:x"),
    ],
)
def test_a_url_is_seen_from_its_parents(parent, url, expected):
    assert absolute_url(parent, url) == expected


@pytest.mark.parametrize("parent", ["https://h/a/b", "git@h:a/b", "file:///a/b"])
def test_no_relative_url_changes_the_server(parent):
    with pytest.raises(UnsafeContent, match="leaves the server"):
        absolute_url(parent, "../../../evil.test/x")
