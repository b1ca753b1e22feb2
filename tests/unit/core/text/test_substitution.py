"""Flux post-build expressions, operator by operator."""

from __future__ import annotations

import pytest

from gitops_workers.core.text.substitution import SubstitutionFailed, substitute

Z = "abcABC123ABCabc"
VARIABLES = {
    "v": "abcdEFGH28ij",
    "path": "/home/bozo/ideas/thoughts.for.today",
    "z": Z,
    "file": "bash.string.txt",
    "full": "path/to/file",
    "root": "/path/to/file",
    "empty": "",
    "d": "foo",
    "slash": "foo/bar/baz",
    "u": "é€",
    "lines": "a\nb\n",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain $v and $ and $(x)", "plain $v and $ and $(x)"),
        ("${v}", "abcdEFGH28ij"),
        ("a${v}b${d}", "aabcdEFGH28ijbfoo"),
        ("${#v}", "12"),
        ("${#u}", "5"),
        ("${v^}", "AbcdEFGH28ij"),
        ("${v^^}", "ABCDEFGH28IJ"),
        ("${v,,}", "abcdefgh28ij"),
        ("${v,}", "abcdEFGH28ij"),
        ("${v^,}", "abcdEFGH28ij"),
        ("${path:11}", "ideas/thoughts.for.today"),
        ("${path:11:5}", "ideas"),
        ("${v:-nothing}", "abcdEFGH28ij"),
        ("${v: -3}", "abcdEFGH28ij"),
        ("${v:x}", "abcdEFGH28ij"),
        ("${v:1:x}", "abcdEFGH28ij"),
        ("${v:99}", ""),
        ("${v:2:-8}", "cd"),
        ("${v:0:99}", "abcdEFGH28ij"),
        ("${u:2}", "€"),
        ("${file#*.}", "string.txt"),
        ("${file##*.}", "txt"),
        ("${file%.*}", "bash.string"),
        ("${file%%.*}", "bash"),
        ("${full#*/}", "to/file"),
        ("${full##*/}", "file"),
        ("${root#*/}", "path/to/file"),
        ("${file#[a-c]}", "ash.string.txt"),
        ("${file#nothing}", "bash.string.txt"),
        ("${file#[}", "bash.string.txt"),
        ("${z/abc/xyz}", "xyzABC123ABCabc"),
        ("${z//abc/xyz}", "xyzABC123ABCxyz"),
        ("${z/#abc/XYZ}", "XYZABC123ABCabc"),
        ("${z/%abc/XYZ}", "abcABC123ABCXYZ"),
        ("${d/#/p-}", "p-foo"),
        ("${d/%/-s}", "foo-s"),
        ("${z/abc/}", "ABC123ABCabc"),
        (r"${slash/\//-}", "foo-bar/baz"),
        (r"${slash//\//-}", "foo-bar-baz"),
        ("${file/./}", "bashstring.txt"),
        ("${file/*/x}", "bash.string.txt"),
        ("${no=x}", "x"),
        ("${no:=x}", "x"),
        ("${no:-x}", "x"),
        ("${no:?x}", "x"),
        ("${no:+x}", "x"),
        ("${v:+x}", "abcdEFGH28ij"),
        ("${empty:=x}", "x"),
        ("${no:=}", ""),
        ("${no=${d}}", "foo"),
        ("${no=${d}-x}", "foo-x"),
        ("${no:=p${d}-x}", "pfoo-x"),
        ("${no:=${v^^}}", "ABCDEFGH28IJ"),
        ("${no:=a b: c}", "a b: c"),
        ("$${v}", "${v}"),
        ("$$PATH", "$PATH"),
        ("$$$${v}", "$${v}"),
        ("$$${d}", "$foo"),
        ("some ${v}$${var$${v}$v${v}", "some abcdEFGH28ij${var${v}$vabcdEFGH28ij"),
        ("x $${a=${d}}", "x ${a=foo}"),
        ("${empty}", ""),
        ("${lines}", "ab"),
        ("\\\\x ${d}", "\\\\x foo"),
    ],
)
def test_expressions(text, expected):
    assert substitute(text, VARIABLES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${v",
        "${}",
        "${v-x}",
        "${a-b}",
        "${ v }",
        "${v:}",
        "${v/a}",
        "${v/a/b",
        "${v#}",
        "${v:=x",
        "${v^x}",
        "${v@Q}",
        "${#}",
        "${u:1}",
        "${a:=" * 40,
    ],
)
def test_text_that_is_no_expression_is_an_error(text):
    with pytest.raises(SubstitutionFailed):
        substitute(f"a: b\nc: {text}", VARIABLES)


def test_an_error_names_the_line():
    with pytest.raises(SubstitutionFailed, match=r"line 2: missing closing brace.*\$\$"):
        substitute("a: b\nc: ${x-y}", VARIABLES)


@pytest.mark.parametrize(
    "text", ["${no}", "${#no}", "${no^}", "${no,,}", "${no:0}", "${no/a/b}", "${no#a}", "${no%%a}"]
)
def test_an_unset_variable_is_an_error_that_names_it(text):
    with pytest.raises(SubstitutionFailed, match="'no' is not set"):
        substitute(text, VARIABLES)


@pytest.mark.parametrize(("text", "expected"), [("a${no}b", "ab"), ("${#no}", "0"), ("${no^^}", "")])
def test_without_strictness_an_unset_variable_is_empty(text, expected):
    assert substitute(text, {}, strict=False) == expected


@pytest.mark.parametrize("name", ["a-b", "1a", "", "a.b", "é"])
def test_a_bad_name_is_an_error_even_unused(name):
    with pytest.raises(SubstitutionFailed, match="invalid"):
        substitute("nothing here", {name: "x"})


def test_no_error_shows_a_value():
    with pytest.raises(SubstitutionFailed) as caught:
        substitute("${secret} ${secret-x}", {"secret": "canary-7f3a"})

    assert "canary" not in str(caught.value)


def test_a_glob_of_many_stars_ends():
    hostile = "${a##" + "*a" * 30 + "b}"

    assert substitute(hostile, {"a": "a" * 40}) == "a" * 40
