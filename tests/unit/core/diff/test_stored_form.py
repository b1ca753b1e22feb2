"""Manifests under the names by which a server keeps their fields."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.diff.stored_form import stored
from gitops_workers.core.objects import GroupKind, key_of

POD: dict[str, Any] = {"containers": [{"name": "main"}]}


def secret(**body: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, **body}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (secret(stringData={"a": "1"}), secret(data={"a": "MQ=="})),
        (secret(stringData={"a": "ü"}, data={"b": "Mg=="}), secret(data={"b": "Mg==", "a": "w7w="})),
        (secret(stringData={"a": "1"}, data={"a": "Mg=="}), secret(data={"a": "MQ=="})),
        (secret(stringData={"a": ""}), secret(data={"a": ""})),
        (secret(stringData={"a": "1"}, data=None), secret(data={"a": "MQ=="})),
        (secret(stringData={}), secret()),
        (secret(stringData=None, data={"a": "MQ=="}), secret(data={"a": "MQ=="})),
        # What a server refuses stays as it is, so that the server says what is wrong with it.
        (secret(stringData={"a": 1}), secret(stringData={"a": 1})),
        (secret(stringData={"a": None}), secret(stringData={"a": None})),
        (secret(stringData="a"), secret(stringData="a")),
        (secret(stringData={"a": "1"}, data=["a"]), secret(stringData={"a": "1"}, data=["a"])),
        (secret(stringData={"a": "1"}, data={"a": "TQ=\n=\r\n"}), secret(data={"a": "MQ=="})),
        (secret(stringData={"a": "1"}, data={"a": None}), secret(data={"a": "MQ=="})),
        (
            secret(stringData={"a": "1"}, data={"a": "no base64"}),
            secret(stringData={"a": "1"}, data={"a": "no base64"}),
        ),
        (secret(stringData={"a": "1"}, data={"a": 1}), secret(stringData={"a": "1"}, data={"a": 1})),
        (secret(data={"a": "no base64"}), secret(data={"a": "no base64"})),
    ],
)
def test_a_secret_is_written_as_it_is_stored(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert stored(key_of(given).group_kind, given) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({**POD, "serviceAccountName": "a"}, {**POD, "serviceAccountName": "a", "serviceAccount": "a"}),
        ({**POD, "serviceAccount": "a"}, {**POD, "serviceAccountName": "a", "serviceAccount": "a"}),
        (
            {**POD, "serviceAccount": "b", "serviceAccountName": "a"},
            {**POD, "serviceAccountName": "a", "serviceAccount": "a"},
        ),
        (POD, POD),
        ({**POD, "serviceAccountName": ""}, {**POD, "serviceAccountName": ""}),
        (None, None),
        ("text", "text"),
    ],
)
def test_a_service_account_stands_under_both_names_wherever_a_pod_is_described(spec: Any, expected: Any) -> None:
    template = {"spec": {"template": {"spec": spec}}}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        assert stored(GroupKind("apps", kind), template) == {"spec": {"template": {"spec": expected}}}
    assert stored(GroupKind("batch", "Job"), template) == {"spec": {"template": {"spec": expected}}}
    assert stored(GroupKind("", "Pod"), {"spec": spec}) == {"spec": expected}
    cron = {"spec": {"jobTemplate": template}}
    assert stored(GroupKind("batch", "CronJob"), cron) == {
        "spec": {"jobTemplate": {"spec": {"template": {"spec": expected}}}}
    }


def test_other_kinds_keep_fields_of_these_names() -> None:
    other = {
        "apiVersion": "example.com/v1",
        "kind": "Secret",
        "stringData": {"a": "1"},
        "spec": {"serviceAccount": "a"},
    }
    assert stored(GroupKind("example.com", "Secret"), other) is other
