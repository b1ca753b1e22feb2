"""What a YAML scalar means to Kubernetes: the rules of `kubectl apply` (sigs.k8s.io/yaml), compared with kubectl 1.32.

They are neither YAML 1.1 as PyYAML reads it nor YAML 1.2: `y` is a bool, `0o10` is 8, `22:22` and `2026-01-02` are
strings, `1.0` is the integer 1, an integer beyond 64 bits is a float.
"""

from __future__ import annotations

import base64
import binascii
import re

Scalar = str | int | float | bool | None

_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(_NULL, None),
}
_NOT_FINITE = frozenset(
    [".nan", ".NaN", ".NAN", *(sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF"))]
)

_NUMBER_STARTS = frozenset("+-.0123456789")
_MEANINGFUL_STARTS = _NUMBER_STARTS | {text[:1] for text in _CONSTANTS}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

INT64 = 1 << 63
"""Beyond plus or minus this, Kubernetes' JSON turns an integer into a float64."""

NUMBER_DIGITS = 400
"""A longer number is read as text: no float64 is longer, and Python's integers would take quadratic time for it."""


class ScalarRefused(ValueError):
    """A scalar that JSON cannot hold; the message says which and what to write instead."""


def resolve(text: str) -> Scalar:
    """Return the value of a plain (unquoted, untagged) scalar.

    >>> [resolve(text) for text in ("y", "0o10", "08", "1e3", "22:22", "2026-01-02", "~")]
    [True, 8, 8, 1000, '22:22', '2026-01-02', None]
    """
    if text[:1] not in _MEANINGFUL_STARTS:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > NUMBER_DIGITS:
        return text
    if text in _NOT_FINITE:
        raise ScalarRefused(f"{text} is no JSON number; quote it if it is text")
    if text[0] == ".":  # Go parses this case without removing the underscores
        return _float(text, text)
    digits = text.replace("_", "")
    if match := _INTEGER.fullmatch(digits):
        return normal(_integer(match))
    return _float(digits, text)


def tagged(tag: str, text: str) -> Scalar:
    """Return the value of a scalar with an explicit tag. A tag that is not YAML's own is ignored, as kubectl does."""
    match tag.removeprefix("tag:yaml.org,2002:"):
        case "null":
            return None
        case "bool" | "int" | "float" as kind:
            value = resolve(text)
            if kind not in _kinds(value):
                raise ScalarRefused(f"the text is no {kind}, which its tag !!{kind} promises")
            return value
        case "binary":
            try:
                return base64.b64decode(text.encode(), validate=False).decode()
            except (binascii.Error, UnicodeError):
                raise ScalarRefused("!!binary does not hold base64 of text; use a Secret's `data` instead") from None
        case _:
            return text


def key(value: Scalar) -> str:
    """Return a mapping key as JSON has it: always text.

    >>> [key(resolve(text)) for text in ("1", "1.5", "true", "1e3", "1:30")]
    ['1', '1.5', 'true', '1000', '1:30']
    """
    if isinstance(value, str):
        return value
    if value is None:
        raise ScalarRefused("a key is null; quote it")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _go_float(value)


def normal(number: float) -> int | float:
    """Return the number as it comes back from Kubernetes' JSON: integral floats are integers, big integers floats."""
    if isinstance(number, int):
        return number if -INT64 <= number < INT64 else float(number)
    return int(number) if number.is_integer() and -INT64 <= number < INT64 else number


def _kinds(value: Scalar) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("bool",)
    return ("int", "float") if isinstance(value, int) else ("float",) if isinstance(value, float) else ()


def _integer(match: re.Match[str]) -> int:
    sign, hexadecimal, binary, octal, decimal = match.groups()
    for digits, base in ((hexadecimal, 16), (binary, 2), (octal, 8)):
        if digits is not None:
            return int(sign + digits, base)
    return int(sign + decimal)


def _float(digits: str, text: str) -> Scalar:
    if not _FLOAT.fullmatch(digits):
        return text
    number = float(digits)
    return text if number in (float("inf"), float("-inf")) else normal(number)


def _go_float(number: float) -> str:
    """`strconv.FormatFloat(number, 'g', -1, 64)`."""
    mantissa, _, exponent = f"{number!r}".partition("e")
    power = int(f"{number:e}".partition("e")[2])
    if -4 <= power < 6:
        return mantissa if not exponent else f"{number:f}".rstrip("0")
    digits = mantissa.replace(".", "").strip("-").strip("0") or "0"
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{'-' if number < 0 else ''}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"
