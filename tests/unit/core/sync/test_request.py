"""What may be asked, how it is written down, and what is refused before anything is begun."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gitops_workers.core.documents.kinds import ANSWER, REQUEST
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Dialect, Phase
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest, HoldReason
from gitops_workers.core.sync.request import (
    LONGEST_TEXT,
    MOST_SELECTORS,
    Answer,
    Request,
    Selector,
    pending,
    reject_reason,
    select_keys,
    selector,
)
from tests.unit.core.making import application

WEB = ObjectKey("apps", "Deployment", "shop", "web")
API = ObjectKey("apps", "Deployment", "shop", "api")
OTHER = ObjectKey("apps", "Deployment", "other", "web")
SERVICE = ObjectKey("", "Service", "shop", "web")
ROLE = ObjectKey("rbac.authorization.k8s.io", "ClusterRole", "", "system:web:reader")
ALL = (WEB, API, OTHER, SERVICE, ROLE)


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        (["apps:Deployment:web"], {WEB, OTHER}),
        (["apps:Deployment:shop/web"], {WEB}),
        ([":Service:web"], {SERVICE}),
        (["apps:Deployment:web", ":Service:web"], {WEB, OTHER, SERVICE}),
        (["*:*:web"], {WEB, OTHER, SERVICE}),
        (["*:*:shop/*"], {WEB, API, SERVICE}),
        (["!apps:Deployment:*"], {SERVICE, ROLE}),
        (["apps:Deployment:*", "!apps:Deployment:api"], {WEB, OTHER}),
        (["!*:Service:*", "!*:ClusterRole:*"], {WEB, API, OTHER}),
        (["*:ClusterRole:system:web:reader"], {ROLE}),
    ],
)
def test_resources_are_chosen_as_argo_cd_chooses_them(texts: list[str], meant: set[ObjectKey]) -> None:
    asked = Request("1", "ann", resources=tuple(map(selector, texts)))
    assert select_keys(asked, ALL) == meant
    assert REQUEST.loads(json.loads(json.dumps(REQUEST.dumps(asked)))) == asked
    assert [str(item) for item in asked.resources] == texts


@pytest.mark.parametrize(
    "text",
    ["", "web", "Deployment:web", "apps::web", "apps:Deployment:", "a:B:/web", "a:B:x/y/z", ":::", "a:B:" + "c" * 2000],
)
def test_a_resource_that_is_none_is_refused_with_the_form_it_should_have(text: str) -> None:
    with pytest.raises(InvalidManifest, match=r"resource '"):
        selector(text)


def test_without_resources_all_objects_are_meant_and_a_choice_of_none_is_refused() -> None:
    assert select_keys(None, ALL) is None
    assert select_keys(Request("1", "ann"), ALL) is None
    with pytest.raises(InvalidManifest, match=r"No object of the application fits batch:Job:x"):
        select_keys(Request("1", "ann", resources=(Selector("batch", "Job", "x"),)), ALL)


def read(stored: Any) -> Request:
    """What stands in the store under `request/<app>`, as an attempt reads it."""
    asked = REQUEST.read(stored, lambda _reason: None)
    assert asked is not None
    return asked


@pytest.mark.parametrize(
    "asked",
    [
        Request("1", "ann"),
        Request("1", "ann", prune=True, force=True, revision=">=1.2.0 <2.0.0"),
        Request("1", "ann", rollback=0, pause=True, prune=True),
        Request("1", "ann", terminate=True),
        Request("1", "ann", dry_run=True, revision="main", resources=(selector("!:Secret:*"),)),
    ],
)
def test_what_is_stored_is_read_again(asked: Request) -> None:
    assert REQUEST.loads(json.loads(json.dumps(REQUEST.dumps(asked)))) == asked


@pytest.mark.parametrize(
    "stored",
    [
        None,
        7,
        "sync",
        [],
        {},
        {"by": "ann", "prune": True},
        {"id": "", "by": "ann"},
        {"id": "1", "by": "ann", "prune": "yes"},
        {"id": "1", "by": "ann", "sync": True},
        {"id": 1, "by": "ann"},
        {"id": "1", "by": "ann", "resources": "apps:Deployment:web"},
        {"id": "1", "by": "ann", "resources": [{"group": "apps"}]},
        {"id": "1", "by": "ann", "rollback": "3"},
        {"id": "1", "by": "ann", "rollback": True},
        {"id": "1", "by": "ann", "rollback": -1},
        {"id": "1", "by": "ann", "rollback": 1, "revision": "main"},
        {"id": "1", "by": "ann", "pause": True},
        {"id": "1", "by": "ann", "terminate": True, "prune": True},
        {"id": "1", "by": "ann", "revision": "--upload-pack=x"},
        {"id": "1", "by": "ann", "revision": "main\n"},
        {"id": "1", "by": "a" * (LONGEST_TEXT + 1)},
        {"id": "1", "by": "ann", "resources": [{"group": "", "kind": "*", "name": "*"}] * (MOST_SELECTORS + 1)},
    ],
)
def test_what_cannot_be_read_is_a_refusal_with_a_mark_of_its_own(stored: Any) -> None:
    asked = read(stored)
    assert asked.refusal.startswith("The stored request cannot be read")
    assert asked.id
    assert (asked.prune, asked.force, asked.rollback, asked.resources) == (False, False, None, ())
    assert read(stored) == asked
    assert pending(asked, Answer(asked.id, Phase.FAILED, asked.refusal), None) is None


def test_an_answered_request_is_not_served_again_and_the_running_operation_has_its_own() -> None:
    stored, running = Request("2", "ann", prune=True), Request("1", "bob")
    one, two = (Answer(name, Phase.SUCCEEDED, "") for name in "12")
    assert pending(None, None, None) is None
    assert pending(None, None, running) == running
    assert pending(stored, None, running) == stored
    assert pending(stored, one, running) == stored
    assert pending(stored, two, running) == running
    assert pending(stored, two, None) is None


@pytest.mark.parametrize("stored", [{"id": "2", "phase": "Celebrated", "message": ""}, {"id": "2"}])
def test_a_request_with_an_unreadable_answer_is_not_served_again(stored: Any) -> None:
    answer = ANSWER.read(stored, lambda _reason: None)
    assert pending(Request("2", "ann"), answer, None) is None
    assert pending(Request("3", "ann"), answer, None) == Request("3", "ann")


@pytest.mark.parametrize("stored", [7, [], {"id": 2, "phase": "Succeeded", "message": ""}])
def test_a_request_that_may_have_been_answered_is_refused_and_says_so(stored: Any) -> None:
    asked = pending(Request("2", "ann", rollback=3), ANSWER.read(stored, lambda _reason: None), None)
    assert asked is not None
    assert (asked.id, asked.rollback) == ("2", None)
    assert "ask again" in asked.refusal


@pytest.mark.parametrize(
    ("asked", "automated", "paused", "words"),
    [
        (Request("1", "ann"), True, False, ""),
        (Request("1", "ann", prune=True, force=True), True, False, ""),
        (Request("1", "ann", resources=(selector(":Service:web"),)), True, False, ""),
        (Request("1", "ann", terminate=True), True, False, ""),
        (Request("1", "ann", revision="v1"), True, False, "turn automated sync off"),
        (Request("1", "ann", revision="HEAD"), True, False, ""),
        (Request("1", "ann", revision="v1", dry_run=True), True, False, ""),
        (Request("1", "ann", revision="v1"), False, False, ""),
        (Request("1", "ann", revision="v1"), True, True, ""),
        (Request("1", "ann", rollback=1), True, False, "--pause-automation"),
        (Request("1", "ann", rollback=1, pause=True), True, False, ""),
        (Request("1", "ann", rollback=1), False, False, ""),
        (Request("1", "ann", rollback=1), True, True, ""),
        (Request("1", "", refusal="no"), False, False, "no"),
    ],
)
@pytest.mark.parametrize("dialect", Dialect)
def test_what_automated_sync_would_undo_is_refused_with_what_to_do(
    dialect: Dialect, asked: Request, automated: bool, paused: bool, words: str
) -> None:
    reason = reject_reason(asked, application(dialect, automated=automated), paused=paused)
    assert (words in reason) if words else not reason


@pytest.mark.parametrize("asked", [Request("1", "ann"), Request("1", "ann", terminate=True)])
def test_nothing_is_asked_of_what_is_being_deleted_unless_that_waits_for_a_human(asked: Request) -> None:
    leaving = DeletionRequest(7.0, Deleting(Cascade.FOREGROUND))
    app = replace(application(), leaving=leaving)
    assert "--cascade orphan" in reject_reason(asked, app)
    assert not reject_reason(asked, replace(app, leaving=replace(leaving, held=HoldReason.MASS)))


@pytest.mark.parametrize(
    ("asked", "has_target_revision", "is_partial", "needs_privilege", "hooks"),
    [
        (Request("1", "ann"), False, False, False, True),
        (Request("1", "ann", prune=True), False, False, True, True),
        (Request("1", "ann", revision="v1"), True, True, True, True),
        (Request("1", "ann", rollback=0), True, True, True, False),
        (Request("1", "ann", resources=(selector(":Service:web"),)), False, True, True, False),
        (Request("1", "ann", dry_run=True), False, True, True, True),
    ],
)
def test_what_kind_of_request_it_is(
    asked: Request, has_target_revision: bool, is_partial: bool, needs_privilege: bool, hooks: bool
) -> None:
    assert (asked.has_target_revision, asked.is_partial, asked.needs_privilege, asked.hooks) == (
        has_target_revision,
        is_partial,
        needs_privilege,
        hooks,
    )
