"""Kubernetes quantities (`1000m`, `1Gi`): one amount can be written in many ways, and a server rewrites it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from gitops_workers.core.text.json_path import Place

_TEXT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([KMGTPE]i|[numkMGTPE]?))")
_THOUSANDS = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_LISTS = frozenset({"limits", "requests", "hard", "default", "defaultRequest", "max", "min", "capacity", "overhead"})
"""Maps from the name of a resource to how much of it."""
_FIELDS = frozenset({"averageValue", "sizeLimit", "divisor"})


def is_quantity(place: Place) -> bool:
    """Whether what stands there is a quantity, in the objects of Kubernetes itself."""
    return bool(place) and (place[-1] in _FIELDS or (len(place) > 1 and place[-2] in _LISTS))


def same_quantity(one: Any, other: Any) -> bool:
    """Whether both are the same amount.

    >>> same_quantity("1000m", 1), same_quantity("1Gi", 1073741824), same_quantity("1G", "1Gi")
    (True, True, False)
    """
    amounts = [_amount(one), _amount(other)]
    return None not in amounts and amounts[0] == amounts[1]


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _TEXT.fullmatch(str(value))
    if found is None:
        return None
    number, exponent, suffix = found.groups()
    amount, suffix = Decimal(number + (exponent or "")), suffix or ""
    if suffix in _BINARY:
        return amount * Decimal(1024) ** _BINARY[suffix]
    return amount.scaleb(3 * _THOUSANDS[suffix])
