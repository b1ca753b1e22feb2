"""What may be done unasked: syncPolicy, its options and its retries, as Argo CD means them."""

import pytest

from tests.unit.dialects.manifests import APPLICATION, application, changed, errors, parse_values


@pytest.mark.parametrize(
    ("policy", "automated", "prune", "self_heal", "allow_empty"),
    [
        ({}, False, False, False, False),
        ({"automated": None}, False, False, False, False),
        ({"automated": {}}, True, False, False, False),
        ({"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}}, True, True, True, True),
        ({"automated": {"enabled": False, "prune": True, "selfHeal": True}}, False, False, False, False),
        ({"automated": {"enabled": True, "prune": True}}, True, True, False, False),
    ],
)
def test_automated_sync_is_on_only_when_it_is_asked_for(policy, automated, prune, self_heal, allow_empty):
    sync = application("spec.syncPolicy", policy).sync

    assert (sync.automated, sync.prune, sync.self_heal, sync.allow_empty) == (automated, prune, self_heal, allow_empty)


def test_retry_is_bounded_backoff_and_a_bare_number_means_seconds():
    retry = application(
        "spec.syncPolicy.retry",
        {"limit": -1, "refresh": True, "backoff": {"duration": "7", "factor": 3, "maxDuration": "1h30m"}},
    ).sync.retry

    assert (retry.limit, retry.first, retry.factor, retry.maximum) == (-1, 7.0, 3.0, 5400.0)


def test_retry_without_a_limit_has_no_quick_retries_as_in_argo_cd():
    assert application("spec.syncPolicy.retry", {"backoff": {}}).sync.retry.limit == 0
    assert application("spec.syncPolicy", {"automated": {}}).sync.retry.limit == 5


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("CreateNamespace=true", "create_namespace", True),
        ("CreateNamespace=false", "create_namespace", False),
        ("RespectIgnoreDifferences=true", "respect_ignored", True),
        ("ClientSideApplyMigration=false", "absorb", False),
        ("Prune=true", "prune_option", ""),
        ("Prune=false", "prune_option", "false"),
        ("Prune=confirm", "prune_option", "confirm"),
        ("PruneLast=true", "prune_last", True),
        ("PrunePropagationPolicy=foreground", "propagation", "Foreground"),
        ("PrunePropagationPolicy=background", "propagation", "Background"),
        ("PrunePropagationPolicy=orphan", "propagation", "Orphan"),
        ("Validate=false", "validate", False),
        ("Validate=true", "validate", True),
        ("SkipDryRunOnMissingResource=true", "skip_missing", True),
        ("Replace=true", "replace", True),
        ("Replace=false", "replace", False),
        ("Force=true", "force", True),
        ("FailOnSharedResource=true", "fail_on_shared", True),
    ],
)
def test_sync_options_are_read(option, field, value):
    app = application("spec.syncPolicy.syncOptions", [option])

    assert getattr(app.sync, field) == value
    assert (app.conditions, app.refusal) == ((), "")


@pytest.mark.parametrize(
    "option",
    ["ServerSideApply=true", "ApplyOutOfSyncOnly=true", "ApplyOutOfSyncOnly=false", "Delete=false", "Delete=confirm"],
)
def test_what_happens_anyway_needs_no_remark(option):
    app = application("spec.syncPolicy.syncOptions", [option])

    assert (app.conditions, app.refusal) == ((), "")


def test_an_apply_by_the_client_is_not_done_and_said_so():
    app = application("spec.syncPolicy.syncOptions", ["ServerSideApply=false"])

    assert app.refusal == ""
    assert "ServerSideApply=false" in app.conditions[0].message


def test_of_two_values_of_one_option_the_first_counts_and_the_safer_where_a_delete_hangs_on_it():
    assert application("spec.syncPolicy.syncOptions", ["Replace=true", "Replace=false"]).sync.replace is False
    assert application("spec.syncPolicy.syncOptions", ["Replace=false", "Replace=true"]).sync.replace is False
    assert application("spec.syncPolicy.syncOptions", ["Validate=false", "Validate=true"]).sync.validate is False
    assert application("spec.syncPolicy.syncOptions", ["Prune=true", "Prune=false"]).sync.prune_option == "false"
    assert application("spec.syncPolicy.syncOptions", ["Delete=false", "Delete=true"]).deleting.option == "false"


def test_the_metadata_of_the_created_namespace_is_read():
    metadata = {"labels": {"team": "shop", "env": "prod"}, "annotations": {"a": "b"}}
    policy = {"syncOptions": ["CreateNamespace=true"], "managedNamespaceMetadata": metadata}
    app = application("spec.syncPolicy", policy)

    assert app.sync.namespace_labels == (("env", "prod"), ("team", "shop"))
    assert app.sync.namespace_annotations == (("a", "b"),)
    assert app.conditions == ()


def test_metadata_of_a_namespace_that_is_not_created_is_remarked():
    app = application("spec.syncPolicy.managedNamespaceMetadata", {"labels": {"a": "b"}})

    assert "CreateNamespace=true" in app.conditions[0].message
    assert app.refusal == ""


@pytest.mark.parametrize(
    ("text", "moment", "remarks"),
    [
        ("2026-01-31T12:00:00Z", 1769860800.0, 0),
        ("2026-01-31T13:00:00.5+01:00", 1769860800.5, 0),
        ("2026-01-31T12:00:00", 0.0, 1),
        ("yes", 0.0, 1),
        ("", 0.0, 1),
    ],
)
def test_a_confirmation_is_a_moment(text, moment, remarks):
    app = application("metadata.annotations", {"argocd.argoproj.io/deletion-approved": text})

    assert (app.deleting.approved_at, len(app.conditions)) == (moment, remarks)


@pytest.mark.parametrize(
    ("option", "hint"),
    [("CreateNamspace=true", "'CreateNamespace'"), ("CreateNamespace=yes", "CreateNamespace=true or")],
)
def test_a_mistyped_sync_option_is_an_error_with_what_is_allowed(option, hint):
    (message,) = errors(parse_values(changed(APPLICATION, "spec.syncPolicy.syncOptions", ["PruneLast=false", option])))

    assert message.startswith("spec.syncPolicy.syncOptions[1]: ")
    assert hint in message
