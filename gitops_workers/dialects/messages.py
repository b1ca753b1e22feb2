"""What problems say of a value: short, printable, and only its type where it may be a secret."""

from __future__ import annotations

import difflib
import typing
from typing import Any

from pydantic_core import PydanticCustomError

from gitops_workers.core.text.redact import scrub

_WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def of_pydantic(kind: str, text: str, found: Any) -> str:
    """What is wrong, by pydantic's type of error and its text, and what to do."""
    if kind == "missing":
        return "the field is missing: set it."
    if wanted := _WANTED.get(kind):
        quotes = ": put it in quotes" if kind == "string_type" and isinstance(found, (bool, int, float)) else ""
        return f"found {type_name(found)}, allowed is {wanted}{quotes}."
    return text if text.endswith(".") else f"{text}."


def type_name(value: Any) -> str:
    """The JSON type of a value, with its article: all that an error may tell of a value that could be a secret."""
    names = {bool: "a boolean", str: "a text", list: "a list", dict: "a mapping", type(None): "null"}
    return names.get(type(value), "a number")


def shown(value: Any) -> str:
    """A value for a message: short, printable, without a URL's user and password. Never for what may be secret."""
    if isinstance(value, str):
        text = scrub(value)
        return repr(text if len(text) <= 100 else text[:97] + "...")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"
    return type_name(value)


def unknown(what: str, name: str, known: typing.Iterable[str]) -> str:
    """The message for a name that does not exist, with the nearest one that does.

    >>> unknown("field", "sorce", ["source", "project"])
    "unknown field 'sorce': did you mean 'source'?"
    """
    names = sorted(known)
    near = {name.lower(): name for name in names}
    match = difflib.get_close_matches(name[:100].lower(), list(near), 1)
    hint = f"did you mean {near[match[0]]!r}?" if match else f"known are {', '.join(names)}."
    return f"unknown {what} {shown(name)}: {hint}"


def wrong(found: Any, allowed: str) -> PydanticCustomError:
    """The error of a validator; `allowed` completes "allowed is"."""
    return PydanticCustomError("value", "{message}", {"message": f"found {shown(found)}, allowed is {allowed}."})
