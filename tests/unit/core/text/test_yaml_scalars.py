"""Scalars mean what they mean to kubectl 1.32; the table is the one that was compared with it."""

from __future__ import annotations

import pytest

from gitops_workers.core.text.yaml_scalars import ScalarRefused, key, resolve, tagged


@pytest.mark.parametrize("text", ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
def test_words_of_assent_are_true(text):
    assert resolve(text) is True


@pytest.mark.parametrize("text", ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
def test_words_of_denial_are_false(text):
    assert resolve(text) is False


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_null(text):
    assert resolve(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("010", 8),
        ("0777", 511),
        ("0b101", 5),
        ("0x1F", 31),
        ("1_000", 1000),
        ("1__0", 10),
        ("0o10", 8),
        ("0O10", 8),
        ("0X1f", 31),
        ("0B1", 1),
        ("-0x1F", -31),
        ("+12", 12),
        ("08", 8),
        ("09", 9),
        ("0999", 999),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1.0e3", 1000),
        ("12e03", 12000),
        ("6e5", 600000),
        ("1e21", 1e21),
        ("-.5", -0.5),
        ("+.5", 0.5),
        (".1e5", 10000),
        ("1e3_0", 1e30),
        ("1.0", 1),
        ("1.", 1),
        ("3.0", 3),
        ("-0.0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2.0**63),
        ("18446744073709551616", 2.0**64),
    ],
)
def test_numbers(text, number):
    value = resolve(text)

    assert (value, type(value)) == (number, type(number))


@pytest.mark.parametrize(
    "text",
    [
        "1:30",
        "22:22",
        "190:20:30",
        "1:30.5",
        "1:2:3:4",
        "2026-01-02",
        "2026-13-45",
        "2026-1-2",
        "2026-01-02T03:04:05Z",
        "1e400",
        "1.79e309",
        "1,000",
        "0x",
        "nil",
        "tRuE",
        "=",
        "<<",
        "-",
        "+",
        ".",
        "_1",
        ".5_0",
        "8" * 10_000,
    ],
)
def test_everything_else_is_text(text):
    assert resolve(text) == text


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN"])
def test_what_json_cannot_hold_is_refused(text):
    with pytest.raises(ScalarRefused, match="quote it"):
        resolve(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", "1"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("y", "true"),
        ("1e3", "1000"),
        ("1:30", "1:30"),
        ("2026-01-02", "2026-01-02"),
        ("1e21", "1e+21"),
        ("0.00001", "1e-05"),
        ("1234567.5", "1.2345675e+06"),
    ],
)
def test_keys_become_text_as_go_writes_it(text, expected):
    assert key(resolve(text)) == expected


def test_a_null_key_is_refused():
    with pytest.raises(ScalarRefused, match="key is null"):
        key(None)


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "1", "1"),
        ("int", "0x10", 16),
        ("float", "1.5", 1.5),
        ("bool", "yes", True),
        ("null", "x", None),
        ("binary", "aGk=", "hi"),
        ("timestamp", "2026-01-02", "2026-01-02"),
        ("python/object:os.system", "1", "1"),
    ],
)
def test_tags_are_yamls_own_or_ignored(tag, text, value):
    assert tagged(f"tag:yaml.org,2002:{tag}", text) == value


def test_a_tag_that_lies_is_refused():
    with pytest.raises(ScalarRefused, match="!!int"):
        tagged("tag:yaml.org,2002:int", "abc")
