"""Types and validators of single fields: what a name, a number or a text of a manifest may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from gitops_workers.dialects.messages import wrong


def whole(low: int, high: int, unit: str = "") -> AfterValidator:
    """A whole number between these bounds, both included."""

    def check(value: int) -> int:
        if not low <= value <= high:
            raise wrong(value, f"{low} to {high}{unit}")
        return value

    return AfterValidator(check)


def one_of(*values: str) -> AfterValidator:
    """One of these texts."""
    return matching(lambda text: text in values, f"one of {', '.join(value or 'empty' for value in values)}")


def matching(accepts: Callable[[str], object], allowed: str) -> AfterValidator:
    """A text that the predicate accepts."""

    def check(value: str) -> str:
        if not accepts(value):
            raise wrong(value, allowed)
        return value

    return AfterValidator(check)


_DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def is_name(text: str) -> bool:
    """Whether the text is an object's name (RFC 1123 subdomain)."""
    return len(text) <= 253 and _DNS.fullmatch(text) is not None


def is_namespace(text: str) -> bool:
    """Whether the text is a namespace's name (RFC 1123 label)."""
    return len(text) <= 63 and _LABEL.fullmatch(text) is not None


Name = Annotated[str, matching(is_name, "a name of lower-case letters, digits, '-' and '.'")]
Namespace = Annotated[
    str, matching(lambda text: not text or is_namespace(text), "a namespace of lower-case letters, digits and '-'")
]


def is_plain(text: str) -> bool:
    """Whether a text holds no control characters and does not look like an option (T14)."""
    return not text.startswith("-") and not any(ord(char) < 32 or ord(char) == 127 for char in text)


Plain = Annotated[str, matching(is_plain, "a text without control characters that does not start with '-'")]

Pointer = Annotated[str, matching(lambda text: text.startswith("/"), "a JSON pointer that starts with /")]
