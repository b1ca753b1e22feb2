"""Documents are read as Kubernetes reads them, with lines, and never beyond a limit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.yaml_events import BadYaml, Limits, YamlBomb, dump, load_documents, load_positions


def load(text: str):
    return load_documents(text.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes\nb: 'yes'\nc: \"1\"\n", {"a": True, "b": "yes", "c": "1"}),
        ("x: &x {a: 1, b: 2}\nz: {<<: *x, b: 3}", {"x": {"a": 1, "b": 2}, "z": {"a": 1, "b": 3}}),
        ("x: &x {a: 1}\nz: {a: 2, <<: *x}", {"x": {"a": 1}, "z": {"a": 1}}),
        (
            "p: &p {a: 1}\nq: &q {a: 2, b: 2}\nr: {<<: [*p, *q]}",
            {"p": {"a": 1}, "q": {"a": 2, "b": 2}, "r": {"a": 1, "b": 2}},
        ),
        ("r: {<<: {a: 1}, b: 2}", {"r": {"a": 1, "b": 2}}),
        ("'<<': 1", {"<<": 1}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
        ("1: a\n1.5: b\ntrue: c\n2026-01-01: d", {"1": "a", "1.5": "b", "true": "c", "2026-01-01": "d"}),
        ("a: !foo bar\nb: !!python/name:os.system 1", {"a": "bar", "b": "1"}),
        ("a:\tb\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("\ufeffa: 1", {"a": 1}),
        ("%YAML 1.1\n---\na: 1\n...\n", {"a": 1}),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
    ],
)
def test_documents_mean_what_they_mean_to_kubectl(text, value):
    assert load(text) == [value]


def test_empty_documents_are_left_out():
    assert load("---\n---\na: 1\n---\n# only a comment\n") == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "'a' stands twice"),
        ("a: {b: 1, b: 2}", 1, "'b' stands twice"),
        ("1: a\n'1': b", 2, "'1' stands twice"),
        ('{"a": 1,\n "a": 2}', 2, "'a' stands twice"),
        ("~: 1", 1, "key is null"),
        ("[a]: 1", 1, "key is a collection"),
        ("a: .inf", 1, "quote it"),
        ("%YAML 1.2\n---\na: 1", 1, "1.1"),
        ("x: &a [*a]", 1, "inside its own anchor"),
        ("x: *nobody", 1, "no anchor"),
        ("a: &x b\n*x : c", 2, "key is an alias"),
        ("a: [1\nb: 2", 2, "no YAML"),
        ("a: {<<: 1}", 1, "needs a mapping"),
    ],
)
def test_what_kubernetes_would_not_take_is_refused_with_its_line(text, line, word):
    with pytest.raises(BadYaml, match=word) as caught:
        load(text)

    assert caught.value.line == line


@pytest.mark.parametrize("data", [b"a: \x00", b"a: \x1b", b"\xff\xfa\x80"])
def test_bytes_that_are_no_text_are_refused(data):
    with pytest.raises(BadYaml, match="UTF-8"):
        load_documents(data)


def alias_bomb() -> bytes:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]" for n in range(8)]
    return "\n".join(lines).encode()


def merge_bomb() -> bytes:
    lines = ["a: &a {" + ", ".join(f"k{n}: 1" for n in range(10)) + "}"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{', '.join(['*' + chr(97 + n)] * 9)}]}}" for n in range(24)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    "data",
    [
        alias_bomb(),
        merge_bomb(),
        b"[" * 50_000,
        b"a:\n" + b"- " * 5_000,
        b"[" + b"[]," * 1_600_000 + b"]",
        b'{"a":' * 200 + b"1" + b"}" * 200,
    ],
    ids=["aliases", "merges", "depth", "block depth", "brackets", "json depth"],
)
def test_bombs_end_at_a_limit(data):
    with pytest.raises(YamlBomb):
        load_documents(data, limits=Limits(size=10 << 20))


def test_a_file_over_the_size_limit_says_both_sizes():
    with pytest.raises(BadYaml, match="5,000,004 bytes are over the limit of 4,194,304"):
        load_documents(b"a: " + b"x" * 5_000_001)


def test_too_many_documents_end_at_a_limit():
    with pytest.raises(YamlBomb, match="more than 3 documents"):
        load_documents(b"a: 1\n---\n" * 5, limits=Limits(documents=3))


def test_positions_name_the_line_of_every_key_and_item():
    (document,) = load_positions(b"# first\nspec:\n  images:\n  - name: a\n    tag: b\n")

    assert document.line == 2
    assert document.lines[("spec",)] == 2
    assert document.lines[("spec", "images")] == 3
    assert document.lines[("spec", "images", 0)] == 4
    assert document.lines[("spec", "images", 0, "tag")] == 5


def test_positions_of_the_second_document_count_from_the_top_of_the_file():
    _, second = load_positions(b"a: 1\n---\nb:\n  c: 1\n")

    assert second.lines[("b", "c")] == 4


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def normal(value):
    """Integral floats are integers in Kubernetes."""
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**63 else value


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=4))
def test_json_reads_the_same_on_both_ways(value):
    text = json.dumps(value).encode()

    assert load_documents(text) == [normal(value)]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40)


@given(
    st.dictionaries(
        TEXT, st.recursive(TEXT, lambda inner: st.lists(inner, max_size=3), max_leaves=5), min_size=1, max_size=4
    )
)
def test_dumped_text_reads_back_as_the_same_value(value):
    assert load(dump(value)) == [value]


@pytest.mark.parametrize(
    "text", ["y", "1e3", "0o10", "22:22", "<<", "=", "2026-01-01", "", "~", "null", ".inf", "- a", "a: b", "#c", "{a"]
)
def test_text_that_looks_like_something_else_is_quoted(text):
    assert load(dump({"a": text, text: "b"})) == [{"a": text, text: "b"}]


def test_an_expression_is_dumped_plain_so_that_its_value_decides_the_type():
    assert dump({"replicas": "${n}"}) == "replicas: ${n}\n"
