"""T30: Secret values in diffs and errors (CVE-2023-40029, CVE-2025-23216, CVE-2026-42880, CVE-2026-45737)."""

import base64
import gzip
import json

import pytest

from gitops_workers.core.diff.masking import MASK, mask, mask_text
from gitops_workers.core.objects import key_of
from gitops_workers.core.text.unified_diff import diff

CANARY = "c4n4ry-0f-t30-\N{SNOWMAN}"
BASE64 = base64.b64encode(CANARY.encode()).decode()
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def secret(**fields):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}} | fields


def annotated(key, value):
    return secret(data={"k": BASE64}, metadata={"name": "db", "annotations": {key: value}})


PLACES = {
    "data": secret(data={"k": BASE64}),
    "data, invalid base64": secret(data={"k": CANARY}),
    "data, broken padding": secret(data={"k": BASE64.rstrip("=")[:-1] + "=" + CANARY}),
    "data, with line breaks": secret(data={"k": BASE64[:8] + "\n" + BASE64[8:]}),
    "data that is no map": secret(data=CANARY),
    "data of the wrong shape": secret(data={"k": {"deeper": [CANARY]}}),
    "stringData": secret(stringData={"k": CANARY}),
    "stringData beside data": secret(data={"k": "b2xk"}, stringData={"k": CANARY}),
    "a misspelt field": secret(stringdata={"k": CANARY}),
    "an immutable Secret": secret(data={"k": BASE64}, immutable=True),
    "last applied": annotated(LAST_APPLIED, json.dumps(secret(data={"k": BASE64}))),
    "last applied, other values": annotated(LAST_APPLIED, json.dumps(secret(stringData={"was": "Older-" + CANARY}))),
    "another tool's copy": annotated("kapp.k14s.io/original", json.dumps(secret(stringData={"k": CANARY}))),
    "an annotation": annotated("example.com/note", f"password is {CANARY}"),
    "managed fields": secret(data={"k": BASE64}, metadata={"name": "db", "managedFields": [{"v": CANARY}]}),
}


def without_canary(text):
    return CANARY not in text and BASE64 not in text and json.dumps(CANARY)[1:-1] not in text


@pytest.mark.parametrize("holder", PLACES.values(), ids=PLACES)
def test_no_diff_shows_a_value(holder):
    plain = secret(data={"k": "b3RoZXI="})
    for desired, live in ((holder, plain), (plain, holder), (holder, holder), (holder, None), (None, holder)):
        masked_desired, masked_live = mask(desired, live)
        assert without_canary(json.dumps([masked_desired, masked_live], ensure_ascii=False))
        assert without_canary(diff(key_of(holder), masked_live, masked_desired))


@pytest.mark.parametrize("holder", list(PLACES.values())[:9], ids=list(PLACES)[:9])
def test_no_error_text_of_an_api_server_shows_a_value(holder):
    quoted = json.dumps(holder.get("data") or holder.get("stringData") or holder.get("stringdata"), ensure_ascii=False)
    answers = [
        f'Secret "db" is invalid: data: Invalid value: {quoted}: field is immutable when `immutable` is set',
        f"illegal base64 data at input byte 4: {CANARY}",
        f"unable to decode {json.dumps(quoted)}",
        f"admission webhook denied the request: {BASE64}",
    ]
    holders = [holder, secret(data={"k": BASE64})]
    assert all(without_canary(mask_text(answer, holders)) for answer in answers)


@pytest.mark.parametrize(
    "key", [LAST_APPLIED, "kapp.k14s.io/original", "objectset.rio.cattle.io/applied", "banzaicloud.com/last-applied"]
)
def test_a_rotated_value_does_not_come_back_from_a_copy_of_the_object(key):
    # Neither side holds the old value any more, and one tool packs its copy: no search could find it.
    packed = base64.b64encode(gzip.compress(json.dumps(secret(stringData={"k": CANARY})).encode())).decode()
    for copy in (json.dumps(secret(stringData={"k": CANARY})), packed):
        live = secret(data={"k": "bmV3"}, metadata={"name": "db", "annotations": {key: copy, "kept": "yes"}})
        _, shown = mask(secret(data={"k": "bmV3"}), live)
        assert shown["metadata"]["annotations"] == {"kept": "yes"}


def test_a_changed_value_is_seen_and_its_length_is_not():
    short, long = (secret(data={"k": base64.b64encode(value).decode()}) for value in (b"x", b"y" * 500))
    desired, live = mask(long, short)
    text = diff(key_of(short), live, desired)
    assert f"-  k: {MASK}+\n" in text
    assert f"+  k: {MASK}\n" in text
    assert len(text) < 300


@pytest.mark.parametrize("value", ["++++++", "++++++++", "+++++++++"])
def test_a_mask_in_git_is_no_reason_to_show_the_live_value_or_to_call_it_unchanged(value):
    for desired in (secret(data={"k": value}), secret(stringData={"k": value})):
        masked_desired, masked_live = mask(desired, secret(data={"k": BASE64}))
        assert masked_desired != masked_live
        assert without_canary(json.dumps([masked_desired, masked_live]))
