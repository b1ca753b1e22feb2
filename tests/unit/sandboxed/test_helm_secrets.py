"""Which values of a chart no message may repeat."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.sandboxed.helm_secrets import of_parameter, of_values


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("db.password", "hunter2", ["hunter2"]),
        ("dbPass", "hunter2", ["hunter2"]),
        ("auth.adminToken", "hunter2", ["hunter2"]),
        ("accessKey", "hunter2", ["hunter2"]),
        ("image.tag", "v1.2.3", []),
        ("createSecret", "true", []),
        ("password", "abc", []),
    ],
)
def test_a_parameter_is_secret_by_its_name(name: str, value: str, found: list[str]) -> None:
    assert list(of_parameter(name, value)) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"db": {"password": "hunter2", "host": "db.test"}}, ["hunter2"]),
        ({"secrets": {"a": ["one-secret", {"b": 12345}]}}, ["one-secret", "12345"]),
        ({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "HOST", "value": "db.test"}]}, ["hunter2"]),
        ({"token": None, "secret": {}, "passwords": [True]}, []),
        ([], []),
    ],
)
def test_values_are_secret_below_such_a_name(values: Any, found: list[str]) -> None:
    assert list(of_values(values)) == found
