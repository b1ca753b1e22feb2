"""Masks show that a value changed, and nothing of the value."""

import base64
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_workers.core.diff.masking import MASK, mask, mask_text


def encoded(value):
    return base64.b64encode(value.encode()).decode()


def secret(data=None, **fields):
    found = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}}
    return found | ({} if data is None else {"data": data}) | fields


def masks(desired, live):
    return tuple(side and side.get("data") for side in mask(desired, live))


@pytest.mark.parametrize(
    ("desired", "live", "expected"),
    [
        ({"a": "b25l"}, {"a": "b25l"}, ({"a": MASK}, {"a": MASK})),
        ({"a": "b25l"}, {"a": "dHdv"}, ({"a": MASK}, {"a": MASK + "+"})),
        ({"a": "b25l"}, {"b": "b25l"}, ({"a": MASK}, {"b": MASK})),
        ({"a": "b25l", "b": "b25l"}, {}, ({"a": MASK, "b": MASK}, {})),
        ({"a": "%%%"}, {"a": "%%%"}, ({"a": MASK}, {"a": MASK})),
        ({"a": "%%%"}, {"a": "b25l"}, ({"a": MASK}, {"a": MASK + "+"})),
        ({"a": "%%%"}, {"a": encoded('"%%%"')}, ({"a": MASK}, {"a": MASK + "+"})),
        ({"a": 5}, {"a": None}, ({"a": MASK}, {"a": MASK + "+"})),
        ({"a": "b2 5l\n"}, {"a": "b25l"}, ({"a": MASK}, {"a": MASK})),
    ],
)
def test_runs_are_equally_long_if_the_values_are_equal(desired, live, expected):
    assert masks(secret(desired), secret(live)) == expected


def test_plain_values_are_compared_with_stored_ones():
    stored = secret({"a": encoded("one")})
    assert masks(secret(stringData={"a": "one"}), stored) == ({"a": MASK}, {"a": MASK})
    assert masks(secret({"a": encoded("old")}, stringData={"a": "one"}), stored) == ({"a": MASK}, {"a": MASK})
    assert masks(secret(stringData={"a": "two"}), stored) == ({"a": MASK}, {"a": MASK + "+"})


def test_a_value_that_looks_like_a_mask_is_a_value():
    assert masks(secret({"a": "++++++++"}), secret({"a": encoded("real")})) == ({"a": MASK}, {"a": MASK + "+"})
    assert masks(secret(stringData={"a": MASK}), secret({"a": "b25l"})) == ({"a": MASK}, {"a": MASK + "+"})


def test_one_side_alone_is_masked_too():
    assert mask(secret({"a": "b25l"}), None) == (secret({"a": MASK}), None)
    assert mask(None, secret({"a": "b25l"})) == (None, secret({"a": MASK}))
    assert mask(None, None) == (None, None)


def test_what_is_no_secret_is_left_as_it_is():
    other = {"apiVersion": "example.com/v1", "kind": "Secret", "data": {"a": "b25l"}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b25l"}}
    assert mask(other, config) == (other, config)


def test_the_arguments_are_not_changed():
    desired, live = secret({"a": "b25l"}, stringData={"b": "x"}), secret({"a": "dHdv"})
    before = copy.deepcopy((desired, live))
    mask(desired, live)
    assert (desired, live) == before


def test_what_may_be_shown_is_shown():
    metadata = {"name": "db", "labels": {"app": "web"}, "annotations": {"note": "rotated"}, "managedFields": [{"a": 1}]}
    shown, _ = mask(secret({"a": "b25l"}, type="Opaque", immutable=True, metadata=metadata), None)
    assert shown == secret(
        {"a": MASK}, type="Opaque", immutable=True,
        metadata={"name": "db", "labels": {"app": "web"}, "annotations": {"note": "rotated"}},
    )  # fmt: skip


def test_a_list_is_masked_item_by_item():
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [secret({"a": "b25l"}), config]}
    assert mask(listed, None)[0] == listed | {"items": [secret({"a": MASK}), config]}
    bare = {"apiVersion": "v1", "kind": "SecretList", "items": [{"metadata": {"name": "x"}, "data": {"a": "b25l"}}]}
    assert mask(bare, None)[0]["items"][0]["data"] == {"a": MASK}


CANARY = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FA0, exclude_categories=["Cs"]), min_size=4).map(
    lambda text: f"Canary!{text}"
)


@given(canary=CANARY, other=st.text(max_size=5), field=st.sampled_from(["data", "stringData", "stringdata"]))
def test_a_canary_never_survives(canary, other, field):
    value = encoded(canary) if field == "data" else canary
    holder = secret(**{field: {"key": value}})
    holder["metadata"] |= {
        "annotations": {"note": f"was {canary}", "copy": json.dumps({"data": {"key": encoded(canary)}})},
        "managedFields": [{"f": canary}],
    }
    plain = secret({"key": encoded(other)})
    for sides in (mask(holder, plain), mask(plain, holder), mask(holder, None), mask(None, holder)):
        text = json.dumps(sides, ensure_ascii=False) + json.dumps(sides)
        assert canary not in text
        assert encoded(canary) not in text


@given(canary=CANARY, before=st.text(max_size=9), after=st.text(max_size=9))
def test_no_error_text_quotes_a_value(canary, before, after):
    holder = secret({"key": encoded(canary)})
    for quoted in (canary, encoded(canary), json.dumps(canary), canary.encode().hex()):
        cleaned = mask_text(f"{before}{quoted}{after}", [None, holder])
        assert canary not in cleaned
        assert encoded(canary) not in cleaned
        assert MASK in cleaned


@given(left=st.integers(0, 6), right=st.integers(6, 12))
def test_overlapping_values_leave_no_rest(left, right):
    text = "abcdefghijklmnop"
    holder = secret(stringData={"one": text[left : left + 6], "two": text[right - 4 : right + 4]})
    cleaned = mask_text(text, [holder])
    assert not set(text[left : left + 6] + text[right - 4 : right + 4]) & set(cleaned.replace(MASK, ""))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("abcd", "abcd"),
        ("abcd", "YWJjZA=="),
        ("abcd", "YWJjZA"),
        ("abab", "ababab"),
        ('pass "word" \N{SNOWMAN}', 'pass \\"word\\" \N{SNOWMAN}'),
        ('pass "word" \N{SNOWMAN}', 'pass \\"word\\" \\u2603'),
        ("first secret line\nsecond secret line\n", "second secret line"),
    ],
)
def test_a_quoted_value_goes_as_a_whole_and_its_length_with_it(value, text):
    assert mask_text(f"<{text}>", [secret(stringData={"a": value})]) == f"<{MASK}>"
    assert mask_text(f"<{text}>", [secret({"a": encoded(value)})]) == f"<{MASK}>"


def test_texts_without_values_are_left_as_they_are():
    text = 'Secret "db" is invalid: type: Invalid value: field is immutable'
    assert mask_text(text, [secret({"a": encoded("s3cr3t-value")})]) == text
    assert mask_text(text, [secret(stringData={"a": "is", "b": "", "c": "    "})]) == text
    assert mask_text(text, []) == text
