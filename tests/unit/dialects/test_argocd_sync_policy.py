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
    ("option", "value", "sets"),
    [
        ("CreateNamespace=true", True, True),
        ("CreateNamespace=false", False, False),
        ("ServerSideApply=true", False, None),
    ],
)
def test_done_sync_options_need_no_remark(option, value, sets):
    app = application("spec.syncPolicy.syncOptions", [option])

    assert app.sync.create_namespace is value
    assert (app.conditions, app.refusal) == ((), "")


@pytest.mark.parametrize(
    "option",
    [
        "Prune=false",
        "Prune=confirm",
        "Delete=false",
        "Replace=true",
        "Force=true",
        "FailOnSharedResource=true",
        "PrunePropagationPolicy=orphan",
    ],
)
def test_options_that_change_what_is_applied_or_deleted_stop_the_sync(option):
    app = application("spec.syncPolicy.syncOptions", [option])

    assert option in app.refusal
    assert [condition.type for condition in app.conditions] == ["UnsupportedField"]


@pytest.mark.parametrize("option", ["Validate=false", "PruneLast=true", "PrunePropagationPolicy=foreground"])
def test_other_options_for_later_get_a_condition_and_no_refusal(option):
    app = application("spec.syncPolicy.syncOptions", [option])

    assert app.refusal == ""
    assert option in app.conditions[0].message


@pytest.mark.parametrize(
    ("option", "hint"),
    [("CreateNamspace=true", "'CreateNamespace'"), ("CreateNamespace=yes", "CreateNamespace=true or")],
)
def test_a_mistyped_sync_option_is_an_error_with_what_is_allowed(option, hint):
    (message,) = errors(parse_values(changed(APPLICATION, "spec.syncPolicy.syncOptions", ["PruneLast=false", option])))

    assert message.startswith("spec.syncPolicy.syncOptions[1]: ")
    assert hint in message
