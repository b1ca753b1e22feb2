"""The cursor of a listing, which only this API makes and reads."""

from __future__ import annotations

CURSOR = "^(o[0-9]{1,7})?$"
"""What a cursor looks like."""


def encode_cursor(offset: int) -> str:
    """The cursor of the page that begins there."""
    return f"o{offset}"


def decode_cursor(cursor: str) -> int:
    """The offset of a cursor that fits CURSOR."""
    return int(cursor[1:]) if cursor else 0
