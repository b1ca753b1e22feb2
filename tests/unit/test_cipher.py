"""What is sealed opens with the same key at the same place, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.cipher import Cipher

KEY = bytes(range(32))


@given(st.binary(), st.text())
def test_what_was_closed_opens(content: bytes, place: str) -> None:
    assert Cipher(KEY).open(place, Cipher(KEY).close(place, content)) == content


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: bytes([sealed[0] ^ 1]) + sealed[1:],
        lambda sealed: sealed[:20],
        lambda sealed: sealed[:12],
        lambda _: b"",
        lambda _: b"x" * 100,
    ],
)
def test_what_was_changed_does_not_open(change: Callable[[bytes], bytes]) -> None:
    assert Cipher(KEY).open("here", change(Cipher(KEY).close("here", b"content"))) is None


def test_another_place_or_key_does_not_open() -> None:
    sealed = Cipher(KEY).close("here", b"content")
    assert Cipher(KEY).open("there", sealed) is None
    assert Cipher(b"another").open("here", sealed) is None


def test_the_same_content_is_never_closed_to_the_same_bytes() -> None:
    assert Cipher(KEY).close("here", b"content") != Cipher(KEY).close("here", b"content")
