"""Stored documents across releases: what others have written is read, what cannot be read is never less."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_workers.core.documents import codec, kinds
from gitops_workers.core.documents.kind import DAMAGED, VERSION, Kind, Owner
from gitops_workers.core.documents.kinds import KINDS
from gitops_workers.core.record import record_document
from gitops_workers.core.record.record import Record

SAMPLES = Path(__file__).parents[3] / "fixtures" / "documents"
RECORD = "cluster-record"
"""The samples of what stands in the ConfigMap."""


def name_of(kind: Kind[Any]) -> str:
    return f"{kind.name}-{kind.at}" if kind.at else kind.name


BY_NAME = {name_of(kind): kind for kind in KINDS}
DERIVED = [kind for kind in KINDS if kind.unreadable is None]


def samples(name: str) -> list[Any]:
    """Documents as the release before the kinds were declared has written them."""
    return [sample["value"] for sample in json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))]


EVERY = [(name, value) for name in BY_NAME for value in samples(name)]


def again(value: Any) -> Any:
    return json.loads(json.dumps(value))


def unread(kind: Kind[Any], value: Any) -> tuple[Any, list[str]]:
    complaints: list[str] = []
    return kind.read(value, complaints.append), complaints


def test_there_is_a_sample_of_every_kind_and_no_other() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == {*BY_NAME, RECORD}
    assert all(samples(name) for name in BY_NAME)
    assert len(BY_NAME) == len(KINDS)


# --- the release before ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "value"), EVERY)
def test_a_document_of_the_release_before_is_read_whole(name: str, value: Any) -> None:
    kind = BY_NAME[name]
    found = kind.loads(value)
    assert kind.loads(again(kind.dumps(found))) == found
    assert lacks(again(kind.encode(found) if kind.encode else codec.dump(found, whole=True)), value) == []


@pytest.mark.parametrize(("name", "value"), EVERY)
def test_a_document_of_this_release_has_what_the_release_before_asks_for(name: str, value: Any) -> None:
    """Its readers took fields by name and columns by place, and these without a default.

    It cannot take a field that it does not know in an operation, a request, nor a row with more columns than
    `PollFingerprint` has here, and does not need to: none is written that was not written then.
    """
    written, asked = again(BY_NAME[name].dumps(BY_NAME[name].loads(value))), NEEDED_BEFORE.get(name, ())
    assert [field for field in asked if field not in written] == []
    if name in {"operation", "request"}:
        assert set(written) <= set(value) | set(KNOWN_BEFORE.get(name, ()))


NEEDED_BEFORE = {
    "operation": ("generation", "commit", "ref", "phase", "started_at", "initiated_by"),
    "request": ("id", "by"),
    "agreement": ("commit", "closure", "rendered", "synced", "objects"),
    "record": ("cluster", "resourceVersion", "record"),
    "override": ("suspended",),
    "delete": ("since", "cascade", "by"),
    "refresh": ("at", "by"),
    "refreshed": ("at", "reason"),
    "answer": ("id", "phase", "message"),
    "preview": ("id", "resources"),
    "group": ("apps", "interval", "jitter"),
    "receiver": ("namespace", "name", "type", "token", "events", "groups", "suspended"),
    "settings": ("digest", "since", "replaced"),
    "catalogue-outside": ("maps", "hooks"),
    RECORD: ("version", "app", "generation", "inventory", "history"),
}
KNOWN_BEFORE = {"request": ("prune", "revision", "resources", "dry_run", "force", "rollback", "pause", "terminate")}


@pytest.mark.parametrize("value", samples(RECORD))
def test_a_record_of_the_release_before_is_read_whole_and_written_as_it_takes_it(value: Any) -> None:
    record = record_document.parse(value)
    written = again(record_document.to_json(record))
    assert record_document.parse(written) == record
    assert lacks(written, value) == []
    assert all(field in written for field in NEEDED_BEFORE[RECORD])
    assert {len(row) for row in (*written["inventory"], *written["hooks"])} <= {5}
    assert {len(row) for row in written["history"]} <= {8}


def lacks(written: Any, value: Any, place: str = "") -> list[str]:
    """Where something that was there, and is no default, is not there any more."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in lacks((written or {}).get(key), item, f"{place}.{key}")]
    if isinstance(value, list):
        found = written or []
        inner = (lacks(one, item, f"{place}[]") for one, item in zip(found, value, strict=False))
        return [*([] if len(found) >= len(value) else [place]), *(text for texts in inner for text in texts)]
    return [] if not value or written == value else [place]


# --- the release after ----------------------------------------------------------------------------------------------
def with_unknown(value: Any, draw: Any, place: Any) -> Any:
    """The document with fields that a later release has added, wherever the content is an object of fields."""
    if isinstance(value, list) and not isinstance(place, tuple):
        return [with_unknown(item, draw, place) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: with_unknown(item, draw, place) for key, item in value.items()}
    names = st.text("abcxyz_", min_size=3).map(lambda text: f"later_{text}")
    return {**found, **draw(st.dictionaries(names, JSON, max_size=2))}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "at", "objects", "phase", "record", "kinds"]) | st.text(), inner)
    ),
    max_leaves=12,
)
MAPS = frozenset({"waits", "moved"})
"""Kinds that are no fields: every name in them is somebody's."""
EXACT = frozenset({"request", "delete"})
"""What a person has asked for in full: a word that is unknown here may be the better part of it."""
TOLERANT = [
    (name, value)
    for name, value in EVERY
    if name not in MAPS | EXACT and isinstance(value, dict | list) and "request" not in value
]


@given(st.sampled_from(TOLERANT), st.data())
def test_a_document_with_fields_that_are_unknown_here_reads_as_without_them(sample: Any, data: st.DataObject) -> None:
    name, value = sample
    kind = BY_NAME[name]
    if name == "agreement":
        later = {**with_unknown({**value, "objects": {}}, data.draw, None), "objects": value["objects"]}
    else:
        later = with_unknown(value, data.draw, None)
    assert kind.loads(later) == kind.loads(value)


@given(st.sampled_from(samples(RECORD)), st.data())
def test_a_record_with_fields_and_columns_of_a_later_release_is_read(value: Any, data: st.DataObject) -> None:
    later = with_unknown(value, data.draw, None)
    for rows in ("inventory", "history", "hooks"):
        later[rows] = [[*row, *data.draw(st.lists(JSON, max_size=2))] for row in later.get(rows, [])]
    assert record_document.parse(later) == record_document.parse(value)


OBJECTS = [(name, value) for name, value in EVERY if isinstance(value, dict) and name not in MAPS]


@pytest.mark.parametrize(("name", "value"), OBJECTS)
def test_a_later_version_is_unreadable_whatever_else_fits(name: str, value: Any) -> None:
    _, complaints = unread(BY_NAME[name], {**value, VERSION: BY_NAME[name].version + 1})
    assert complaints
    assert f"its version is {BY_NAME[name].version + 1}" in complaints[0]


def test_a_record_of_a_later_version_is_an_error_and_never_an_older_one() -> None:
    value = record_document.to_json(Record("application/argocd/web", 3))
    with pytest.raises(ValueError, match="version is 2 and not 1"):
        record_document.parse({**value, VERSION: 2})


# --- what cannot be read --------------------------------------------------------------------------------------------
@settings(max_examples=300)
@given(st.sampled_from(KINDS), JSON | st.just(DAMAGED))
def test_random_json_raises_nothing_and_is_complained_of_once_where_it_does_not_fit(
    kind: Kind[Any], value: Any
) -> None:
    found, complaints = unread(kind, value)
    assert len(complaints) <= 1
    if not complaints:
        assert kind.loads(again(kind.dumps(found))) == found
    elif kind.unreadable is None:
        assert found is None
    else:
        assert found is not None


@given(st.sampled_from(EVERY), st.data())
def test_a_document_of_which_a_part_was_replaced_raises_nothing(sample: Any, data: st.DataObject) -> None:
    name, value = sample
    broken = again(value)
    place = broken
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    unread(BY_NAME[name], broken)


def test_every_document_of_a_person_reads_as_something_when_it_cannot_be_read() -> None:
    assert [kind.name for kind in KINDS if kind.owner is Owner.PERSON and kind.unreadable is None] == []


@pytest.mark.parametrize("value", [DAMAGED, 7, [], {}, {"suspended": "no"}, {"suspended": False, VERSION: 2}])
def test_what_cannot_be_read_never_means_less(value: Any) -> None:
    def read(kind: Kind[Any]) -> Any:
        return unread(kind, value)[0]

    assert read(kinds.OVERRIDE).suspended
    assert read(kinds.OVERRIDE).problem
    assert read(kinds.OVERRIDE).resumed_at == 0.0
    assert read(kinds.REQUEST).refusal
    assert read(kinds.DELETION_ORDER).problem
    assert read(kinds.REFRESH).problem
    assert unread(kinds.DRIFT, 7)[0].every
    assert "application/a/b" in unread(kinds.PARTIAL_REFRESH, 7)[0]
    assert "application/a/b" in unread(kinds.OUTAGE, 7)[0]
    assert unread(kinds.WAITS, 7)[0].every
    assert unread(kinds.INCOMPLETE, 7)[0]
    assert unread(kinds.CATALOGUE_ERROR, 7)[0]


@pytest.mark.parametrize("field", ["colour", "until"])
def test_a_request_with_a_word_that_is_unknown_here_is_refused_and_names_it(field: str) -> None:
    asked, _ = unread(kinds.REQUEST, {"id": "1", "by": "ann", field: True})
    assert asked.id == "1"
    assert f"unknown field {field}" in asked.refusal
    assert unread(kinds.DELETION_ORDER, {"since": 1.0, "cascade": "", "by": "ann", field: True})[0].problem


def test_an_unreadable_copy_of_a_record_is_no_record_that_is_absent() -> None:
    copy, complaints = unread(kinds.RECORD_COPY, {"cluster": "east", "resourceVersion": "7", "record": {"version": 2}})
    assert complaints
    assert copy.record is None
    assert copy.known_in("east")
    assert unread(kinds.RECORD_COPY, 7)[0].record is None


# --- the codec ------------------------------------------------------------------------------------------------------
def test_a_row_takes_columns_of_a_later_release_and_lacks_those_of_an_earlier_one() -> None:
    short = kinds.FINGERPRINT.loads(["c", "d", "o", ["apps|Deployment", "|Pod"]])
    assert (short.rules, short.waits_since, short.kinds[0].kind) == ("", 0.0, "Deployment")
    assert kinds.FINGERPRINT.loads(["c", "d", "o", ["apps|Deployment", "|Pod"], "", 0.0, {"later": 1}]) == short


@pytest.mark.parametrize("row", [[], ["c"], ["c", "d", "o", "k"], ["c", "d", "o", ["nothing"]], ["c", 1, "o", []]])
def test_a_row_that_is_too_short_or_of_other_types_does_not_fit(row: list[Any]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        kinds.FINGERPRINT.loads(row)


def test_a_reason_names_the_place_and_no_content() -> None:
    rows = {"apps|Deployment|shop|web": ["secret", 1, "7", "x"]}
    with pytest.raises(ValueError, match=r"^objects\.apps\|Deployment\|shop\|web\[1\] is int, which does not fit$"):
        kinds.BASELINE.loads({"objects": rows})
