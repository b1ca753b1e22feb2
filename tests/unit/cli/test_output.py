"""Promises of what is printed: nothing steers the terminal, nothing is cut, programs get data."""

from __future__ import annotations

import json
import sys

import pytest
import yaml

from gitops_workers.cli.output import Column, Output, View, flat, paint, show_rows

EVIL = "a\x1b[31mred\x1b[0m\rb\u202ec\x9bd\nnext\tline\x07"
VIEW: View[dict[str, str]] = View(
    columns=[Column("NAME", lambda row: row["name"]), Column("MORE", lambda row: row["more"], wide=True)],
    name=lambda row: row["name"],
    to_json=dict,
    nothing="nothing at all",
)


class Terminal:
    """A standard output that says it is a terminal."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@pytest.mark.parametrize("output", list(Output))
def test_no_control_character_of_a_name_reaches_standard_output(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    show_rows(VIEW, [{"name": EVIL, "more": EVIL}], output)
    text = capsys.readouterr().out
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    assert "\u202e" not in text


def test_a_row_stays_one_line_whatever_is_in_it() -> None:
    assert flat(EVIL) == "aredbcd next line"


def test_columns_line_up_also_with_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(VIEW, [{"name": "日本", "more": "x"}, {"name": "long-name", "more": "y"}], Output.WIDE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NAME       MORE"
    assert lines[1] == "日本       x"
    assert lines[2] == "long-name  y"


def test_json_and_yaml_read_back_as_the_same_values(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": EVIL, "more": "yes"}, {"name": "b", "more": "1.10"}]
    show_rows(VIEW, rows, Output.JSON)
    assert json.loads(capsys.readouterr().out) == rows
    show_rows(VIEW, rows, Output.YAML)
    assert yaml.safe_load(capsys.readouterr().out) == rows


def test_an_empty_listing_is_said_to_people_and_empty_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(VIEW, [], Output.TABLE)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "nothing at all\n")
    show_rows(VIEW, [], Output.JSON)
    assert json.loads(capsys.readouterr().out) == []
    show_rows(VIEW, [], Output.NAME)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("terminal", "variables", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, variables: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if terminal:
        monkeypatch.setattr(sys, "stdout", Terminal(sys.stdout))
    assert ("\x1b" in paint("Synced")) is coloured
