"""Whose the object of a hook is, told by its marks."""

from __future__ import annotations

import pytest

from gitops_workers.core.diff.ownership import ARGOCD_HOOK, HELM_HOOK, INSTANCE, TRACKING_ID, hook_owned
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record.record import PART_OF, applyset_id
from tests.unit.core.making import application

KEY = ObjectKey("batch", "Job", "shop", "migrate")
OURS, OTHER = {PART_OF: applyset_id("application/argocd/web")}, {PART_OF: applyset_id("application/argocd/x")}
TRACKED = {TRACKING_ID: "web:batch/Job:shop/migrate"}
OLD = {INSTANCE: "web"}
HOOK = {ARGOCD_HOOK: "PreSync"}


@pytest.mark.parametrize(
    ("labels", "annotations", "ours"),
    [
        (OURS, {}, True),
        (OTHER, TRACKED, False),
        ({}, TRACKED, True),
        ({}, {TRACKING_ID: "web:batch/Job:shop/other"}, False),
        ({}, {TRACKING_ID: "x:batch/Job:shop/migrate"}, False),
        (OLD, {**HOOK, TRACKING_ID: "x:batch/Job:shop/migrate"}, False),
        (OLD, HOOK, True),
        (OLD, {HELM_HOOK: "pre-install"}, True),
        (OLD, {}, False),
        ({INSTANCE: "x"}, HOOK, False),
        ({}, HOOK, False),
        ({}, {}, False),
    ],
)
def test_the_object_of_a_hook_is_ours(labels: dict[str, str], annotations: dict[str, str], ours: bool) -> None:
    live = {"metadata": {"name": "migrate", "labels": labels, "annotations": annotations}}
    assert hook_owned(application(), KEY, live) is ours
