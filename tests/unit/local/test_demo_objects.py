"""What the demo's story reads of objects whose controllers have not spoken yet."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.local.demo.objects import condition

READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (None, {}),
        ({"metadata": {}}, {}),
        ({"status": {"conditions": None}}, {}),
        ({"status": {"conditions": [{"type": "Other"}, READY]}}, READY),
    ],
)
def test_a_condition_that_nobody_has_written_is_none(item: Any, found: Any) -> None:
    assert condition(item, "Ready") == found
