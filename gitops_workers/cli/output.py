"""How answers are printed: tables for people, JSON and YAML for programs, names for shells.

Whatever comes from outside (names, messages, diffs) passes `scrub`: no control character of a manifest or of a server
reaches the terminal. Colour only on a terminal, and not with NO_COLOR.
"""

from __future__ import annotations

import enum
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import typer

from gitops_workers.core.text.redact import scrub

Row = TypeVar("Row")


class Output(enum.StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


OutputOption = Annotated[Output, typer.Option("-o", "--output", help="How the answer is printed.")]


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column; `wide` ones are shown with `-o wide` only."""

    title: str
    value: Callable[[Row], object]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class View(Generic[Row]):
    """How rows of one kind are shown."""

    columns: Sequence[Column[Row]]
    name: Callable[[Row], str]
    to_json: Callable[[Row], Any]
    nothing: str
    """Said instead of an empty table, on standard error."""


def show_rows(view: View[Row], rows: Sequence[Row], output: Output) -> None:
    """Print a listing."""
    match output:
        case Output.JSON | Output.YAML:
            show_value([view.to_json(row) for row in rows], output)
        case Output.NAME:
            for row in rows:
                print(flat(view.name(row)))
        case _ if not rows:
            print(view.nothing, file=sys.stderr)
        case _:
            columns = [column for column in view.columns if output is Output.WIDE or not column.wide]
            cells = [[flat(column.value(row)) for column in columns] for row in rows]
            print_table([column.title for column in columns], cells)


def show_value(value: Any, output: Output) -> None:
    """Print one value as JSON or YAML; both escape whatever is not plain text."""
    if output is Output.YAML:
        import yaml  # noqa: PLC0415 - 20 ms that tables need not pay

        print(yaml.safe_dump(value, sort_keys=False, width=120), end="")
    else:
        print(json.dumps(value, indent=2))


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns two spaces apart, as wide as their content; nothing is cut, so that it can be piped."""
    widths = [max(_width(row[index]) for row in (titles, *rows)) for index in range(len(titles))]
    colours = coloured()
    for number, row in enumerate((titles, *rows)):
        cells = [_padded(cell, width, colours and number > 0) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def flat(value: object) -> str:
    """One line of plain text."""
    return " ".join(scrub(str(value)).split())


def plain(text: str) -> str:
    """Text of several lines without control characters."""
    return scrub(text)


def coloured() -> bool:
    """Whether colours may be used."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def paint(text: str, word: str = "") -> str:
    """The text in the colour of a status word, where colours may be used."""
    code = _COLOURS.get(word or text) if coloured() else None
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


_GREEN, _YELLOW, _RED, _BLUE = 32, 33, 31, 34
_COLOURS = {
    **dict.fromkeys(("Synced", "Healthy", "Current", "Succeeded", "ok", "added"), _GREEN),
    **dict.fromkeys(("OutOfSync", "Missing", "Suspended", "Unknown", "Terminating", "Warning", "advice"), _YELLOW),
    **dict.fromkeys(("Degraded", "Failed", "NotFound", "Error", "removed", "unreachable", "no worker"), _RED),
    **dict.fromkeys(("Progressing", "InProgress", "Running"), _BLUE),
}


def _padded(cell: str, width: int, colours: bool) -> str:
    padding = " " * (width - _width(cell))
    return (paint(cell) if colours else cell) + padding


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
