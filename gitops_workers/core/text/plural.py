"""Numbers in sentences."""

from __future__ import annotations


def amount(number: int, noun: str) -> str:
    """The number with its noun; many are the noun with an s.

    >>> amount(1, "object"), amount(0, "object"), amount(1200, "hook")
    ('1 object', '0 objects', '1200 hooks')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
