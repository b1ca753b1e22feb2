"""What the objects of an application say together."""

import pytest

from gitops_workers.core.health import Member, aggregate, failed, member, settled
from gitops_workers.core.model import Dialect, Health, HealthStatus
from gitops_workers.core.objects import ObjectKey

ARGO, FLUX = Dialect.ARGOCD, Dialect.FLUX
S = HealthStatus


def one(status, kind="Deployment", group="apps", **how):
    return Member(ObjectKey(group, kind, "shop", "web"), None if status is None else Health(status, "so"), **how)


ABSENT = one(S.MISSING, absent=True)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], S.HEALTHY),
        ([one(None)], S.HEALTHY),
        ([one(S.HEALTHY), one(S.SUSPENDED)], S.SUSPENDED),
        ([one(S.PROGRESSING), one(S.SUSPENDED)], S.PROGRESSING),
        ([one(S.DEGRADED), one(S.PROGRESSING)], S.DEGRADED),
        ([one(S.UNKNOWN), one(S.DEGRADED)], S.UNKNOWN),
        ([one(S.HEALTHY), ABSENT], S.HEALTHY),
        ([ABSENT, ABSENT], S.MISSING),
        ([one(S.DEGRADED, ignored=True), one(S.HEALTHY)], S.HEALTHY),
        ([one(S.DEGRADED, ignored=True), ABSENT], S.HEALTHY),
        ([one(S.MISSING, absent=True, ignored=True)], S.MISSING),
        ([one(S.UNKNOWN, "Application", "argoproj.io"), one(S.HEALTHY)], S.HEALTHY),
        ([one(S.DEGRADED, "Application", "argoproj.io"), one(S.HEALTHY)], S.DEGRADED),
    ],
)
def test_argo_cd_takes_the_worst_object_that_counts(members, expected):
    assert aggregate(ARGO, members).status is expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], S.CURRENT),
        ([S.CURRENT, S.CURRENT], S.CURRENT),
        ([S.CURRENT, S.IN_PROGRESS], S.IN_PROGRESS),
        ([S.NOT_FOUND, S.CURRENT], S.IN_PROGRESS),
        ([S.TERMINATING], S.IN_PROGRESS),
        ([S.IN_PROGRESS, S.UNKNOWN], S.UNKNOWN),
        ([S.UNKNOWN, S.FAILED], S.FAILED),
    ],
)
def test_flux_fails_on_one_and_is_current_with_all(statuses, expected):
    assert aggregate(FLUX, [one(status) for status in statuses]).status is expected


def test_the_message_names_the_object_that_decided():
    assert aggregate(ARGO, [one(S.HEALTHY), one(S.DEGRADED)]).message == "Deployment.apps shop/web: so"
    assert aggregate(FLUX, [one(S.CURRENT), one(S.IN_PROGRESS)]).message == "Deployment.apps shop/web: so"


def test_an_object_that_is_not_there_is_absent():
    desired = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    for dialect, status in ((ARGO, S.MISSING), (FLUX, S.NOT_FOUND)):
        found = member(desired, None, dialect)
        assert found.absent
        assert found.health is not None
        assert found.health.status is status


def test_an_annotation_takes_an_object_out_of_argo_cds_sum_only():
    live = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "a", "annotations": {"argocd.argoproj.io/ignore-healthcheck": "true"}},
        "status": {"phase": "Lost"},
    }
    assert aggregate(ARGO, [member(live, live, ARGO)]).status is S.HEALTHY
    assert aggregate(FLUX, [member(live, live, FLUX)]).status is S.IN_PROGRESS


def test_a_job_that_cleaned_up_after_itself_is_done_for_flux():
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"ttlSecondsAfterFinished": 0}}
    kept = job | {"spec": {}}
    assert aggregate(FLUX, [member(job, None, FLUX)]).status is S.CURRENT
    assert aggregate(FLUX, [member(kept, None, FLUX)]).status is S.IN_PROGRESS


def test_what_ends_a_wait():
    assert settled(ARGO, Health(S.HEALTHY))
    assert settled(ARGO, None)
    assert settled(FLUX, Health(S.CURRENT))
    assert not settled(ARGO, Health(S.SUSPENDED))
    assert not settled(FLUX, Health(S.NOT_FOUND))
    assert failed(ARGO, Health(S.DEGRADED))
    assert failed(FLUX, Health(S.FAILED))
    assert not failed(ARGO, Health(S.UNKNOWN))
    assert not failed(ARGO, None)
