"""The same wish through the command line and through the API: one verdict, one sentence, one trace in the store.

Each case arranges an application, asks for something with a command and with a request, and compares what came of it.
The exit code and the HTTP status are words for the same verdict; the sentence is the same to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gitops_workers.core.model import Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest, HoldReason
from gitops_workers.core.status.rows import Event, OperationView, Status
from gitops_workers.settings import Settings
from gitops_workers.web.app import create_app
from gitops_workers.web.services import Role, Token, WebServices, WebSettings
from gitops_workers.wiring.stores import open_state
from tests.documents import raw
from tests.fleet import application
from tests.integration.cli.conftest import KEY, Answer, Installation
from tests.web_world import Client, bearer

Cli = Callable[..., Answer]
ARGO, FLUX = "application/argocd/shop", "kustomization/flux-system/apps"
TWIN = "kustomization/flux-system/shop"
TOKEN = "a-token-that-is-long-enough"
LIST = "/api/v1/applications"
DOCUMENTS = ("request", "override", "refresh", "delete")
RUNNING = OperationView(Phase.RUNNING, "", "0" * 40, "2026-01-01T00:00:00Z")
LEAVING = DeletionRequest(7.0, Deleting(Cascade.FOREGROUND))


@dataclass(frozen=True, slots=True)
class World:
    """How the applications are before somebody asks. `declared` and `row` are changes of the fields of `app`."""

    declared: Mapping[str, Any] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)
    app: str = ARGO
    enrolled: bool = True
    twin: bool = False
    """Whether another application has the same bare name."""
    left: bool = False
    """Whether only a row and events tell of it: it is no longer declared."""
    sealed_by: str = KEY
    """The key that the asking processes have; applications are sealed with KEY."""


MANUAL = {"sync": replace(application(ARGO).sync, automated=False)}
SUSPENDED = World(MANUAL, {"suspended": True})
GOING, FLUX_GOING = World({"leaving": LEAVING}), World({"leaving": LEAVING}, app=FLUX)
HELD = World({"leaving": replace(LEAVING, held=HoldReason.MASS)})
DECLARED = World({"origin": "fleet/shop.yaml"})
BY_HAND, AUTOMATED, FLUX_ONE = World(MANUAL), World(), World(app=FLUX)
UNKNOWN_KEY = World(MANUAL, {"operation": RUNNING}, sealed_by=KEY.replace("5a", "5b"))
UNSCHEDULED = World(
    {**MANUAL, "leaving": replace(LEAVING, held=HoldReason.MASS)}, {"operation": RUNNING}, enrolled=False
)

LEFT = World(row={"operation": RUNNING}, left=True)

ENTRY: Mapping[str, tuple[str, Mapping[str, Any]]] = {"rollback": (" 1", {"id": 1})}
CHANGES: Mapping[str, tuple[str, str, str, Mapping[str, Any]]] = {
    "sync": ("app sync {}", "POST", "/sync", {}),
    "rollback": ("app rollback {} 1", "POST", "/rollback", {"id": 1}),
    "terminate": ("app terminate {} --timeout 0.1", "POST", "/terminate", {}),
    "suspend": ("app suspend {}", "POST", "/suspend", {}),
    "resume": ("app resume {}", "POST", "/resume", {}),
    "refresh": ("app get {} --refresh --timeout 0.1 -o json", "POST", "/refresh", {}),
    "delete": ("app delete {} --yes", "DELETE", "", {}),
}
READS: Mapping[str, tuple[str, str]] = {
    "get": ("app get {} -o json", ""),
    "diff": ("app diff {}", "/diff"),
    "history": ("app history {} -o json", "/history"),
    "explain": ("app explain {} -o json", "/explain"),
    "events": ("events {} -o json", "/events"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a wish: whether it was refused and why, what it stored, and the events that it left."""

    refused: bool
    sentence: str
    documents: Mapping[str, Any]
    events: tuple[tuple[str, str, str], ...]


@dataclass
class Faces:
    """Both ways to the same store."""

    installation: Installation
    cli: Cli
    client: Client

    def command(self, words: str) -> tuple[Answer, Verdict]:
        """What a command does."""
        before = self._newest()
        answer = self.cli(*words.split())
        # What a command says on its way (what a delete is about to do) is the terminal's own.
        sentence = answer.err.rpartition("gitops-workers: ")[2].strip() if answer.code else ""
        return answer, self._verdict(before, answer.code != 0, sentence)

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[Any, Verdict]:
        """What a request does."""
        before = self._newest()
        content = {} if body is None else {"json": dict(body)}
        answer = self.client.request(method, path, headers=bearer(TOKEN), **content)
        sentence = answer.json()["detail"] if answer.is_error else ""
        return answer, self._verdict(before, answer.is_error, sentence)

    def _newest(self) -> str:
        return next((event.id for event in self.installation.state.events(None, 1)), "")

    def _verdict(self, before: str, refused: bool, sentence: str) -> Verdict:
        state = self.installation.state
        documents = {
            f"{kind}/{app}": {
                name: value for name, value in found.items() if name not in ("id", "by", "at", "resumedAt")
            }
            for app in (ARGO, FLUX, TWIN)
            for kind in DOCUMENTS
            if (found := state.load(raw(kind), app)) is not None
        }
        events: list[Event] = []
        for event in state.events(None, 100):
            if event.id == before:
                break
            events.append(event)
        for app in (ARGO, FLUX, TWIN):
            state.save_of(app, dict.fromkeys(map(raw, DOCUMENTS)))
        said = tuple((event.type, event.reason, _without_asker(event)) for event in events)
        return Verdict(refused, sentence, documents, said)


def _without_asker(event: Event) -> str:
    words = event.message.replace(f"by {event.by} from {event.source}", "by X from Y")
    return words.partition("; accepted as generation")[0]


@pytest.fixture
def faces(installation: Installation, cli: Cli, redis_url: str, monkeypatch) -> Callable[[World], Faces]:
    """Arrange the applications; gives both ways to ask."""

    def arranged(world: World) -> Faces:
        state, queue = installation.state, installation.queue
        twins = [TWIN] if world.twin else []
        history = [
            {"id": number, "revision": "a" * 40, "ref": "main", "deployed_at": "", "initiated_by": "ann"}
            | {"outcome": "Succeeded", "exact": True}
            for number in range(3)
        ]
        for app_id in (ARGO, FLUX, *twins):
            dialect = Dialect.FLUX if app_id.startswith("kustomization/") else Dialect.ARGOCD
            app = replace(application(app_id), **(world.declared if app_id == world.app else {}))
            row = Status(
                *(app_id, dialect.value, "team" if dialect is Dialect.ARGOCD else "", "prod-eu-1", "", "", ""),
                sync=SyncStatus.SYNCED,
                health=HealthStatus.HEALTHY,
            )
            if not (world.left and app_id == ARGO):
                state.save_applications([app])
            state.save_status(replace(row, **world.row) if app_id == world.app else row)
            state.save(raw("history"), app_id, history)
            if world.enrolled:
                queue.enroll(app_id, "prod-eu-1", "default")
        monkeypatch.setenv("GITOPS_CACHE_KEY", world.sealed_by)
        asking = open_state(Settings(redis_url=redis_url, cache_key=world.sealed_by))
        settings = WebSettings(tokens=(Token.of("ann", Role.WRITE, TOKEN),))
        services = WebServices(asking, queue, lambda _: None, settings, installation.telemetry)
        return Faces(installation, cli, Client(create_app(services), ("203.0.113.9", 4711), "http://api.example.com"))

    return arranged


@pytest.mark.parametrize("verb", [*CHANGES, *READS])
@pytest.mark.parametrize(
    ("name", "world", "code", "status", "said"),
    [
        ("application/argocd/nobody", BY_HAND, 1, 404, "no such application: 'application/argocd/nobody'"),
        ("application/argocd/shopp", BY_HAND, 1, 404, f"do you mean {ARGO}?"),
        ("nobody", BY_HAND, 1, 404, "no such application: 'nobody'"),
        ("shop", World(MANUAL, twin=True), 2, 409, f"write one of {ARGO}, {TWIN}"),
    ],
)
def test_a_name_means_the_same_application_or_none_to_every_face(
    faces, verb: str, name: str, world: World, code: int, status: int, said: str
) -> None:
    asked = faces(world)
    if verb in CHANGES:
        words, method, path, body = CHANGES[verb]
    else:
        (words, path), method, body = READS[verb], "GET", None
    answer, command = asked.command(words.format(name))
    reply, request = asked.request(method, f"{LIST}/{name}{path}", body)
    assert command == request
    assert (answer.code, reply.status_code) == (code, status)
    assert said in command.sentence
    assert command.documents == {}


@pytest.mark.parametrize(
    ("world", "verb", "words", "body", "code", "status", "said"),
    [
        (BY_HAND, "rollback", " 7", {"id": 7}, 2, 404, "the history has no entry 7; it has 0, 1, 2"),
        (AUTOMATED, "rollback", " 1", {"id": 1}, 1, 409, "--pause-automation"),
        (AUTOMATED, "rollback", " 7 --pause-automation", {"id": 7, "pauseAutomation": True}, 2, 404, "no entry 7"),
        (FLUX_ONE, "rollback", " 1", {"id": 1}, 1, 409, "--pause-automation"),
        (AUTOMATED, "sync", " --revision v1", {"revision": "v1"}, 1, 409, "is synced automatically"),
        (FLUX_ONE, "sync", " --revision v1", {"revision": "v1"}, 1, 409, "is synced automatically"),
        (BY_HAND, "sync", " --revision -x", {"revision": "-x"}, 2, 422, "revision is no name that Git allows"),
        (BY_HAND, "sync", " --resource web", {"resources": ["web"]}, 2, 422, "[!]GROUP:KIND:[NAMESPACE/]NAME"),
        (BY_HAND, "sync", " --resource :x:", {"resources": [":x:"]}, 2, 422, "must not be empty"),
        (BY_HAND, "terminate", "", {}, 1, 409, "nothing to terminate"),
        (SUSPENDED, "sync", "", {}, 1, 409, f"{ARGO} is suspended"),
        (SUSPENDED, "rollback", " 1", {"id": 1}, 1, 409, f"{ARGO} is suspended"),
        (SUSPENDED, "refresh", "", {}, 1, 409, f"{ARGO} is suspended"),
        (GOING, "sync", "", {}, 1, 409, "is being deleted"),
        (FLUX_GOING, "sync", " --force", {"force": True}, 1, 409, "is being deleted"),
        (GOING, "rollback", " 1 --pause-automation", {"id": 1, "pauseAutomation": True}, 1, 409, "is being deleted"),
        (World({"leaving": LEAVING}, {"operation": RUNNING}), "terminate", "", {}, 1, 409, "is being deleted"),
        (DECLARED, "delete", "", {}, 1, 409, "declared in fleet/shop.yaml"),
        (UNKNOWN_KEY, "sync", "", {}, 2, 409, "GITOPS_CACHE_KEY"),
        (UNKNOWN_KEY, "rollback", " 1", {"id": 1}, 2, 409, "GITOPS_CACHE_KEY"),
        (UNKNOWN_KEY, "terminate", "", {}, 2, 409, "GITOPS_CACHE_KEY"),
        (UNKNOWN_KEY, "suspend", "", {}, 2, 409, "GITOPS_CACHE_KEY"),
        (UNKNOWN_KEY, "resume", "", {}, 2, 409, "GITOPS_CACHE_KEY"),
        (UNKNOWN_KEY, "refresh", "", {}, 2, 409, "GITOPS_CACHE_KEY"),
        (UNKNOWN_KEY, "delete", "", {}, 2, 409, "GITOPS_CACHE_KEY"),
        *((UNSCHEDULED, verb, *ENTRY.get(verb, ("", {})), 1, 409, "is not scheduled") for verb in CHANGES),
        *(
            (LEFT, verb, *ENTRY.get(verb, ("", {})), 1, 404, "it was there and is no longer declared")
            for verb in CHANGES
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_the_same_words_and_leaves_the_same_event(
    faces, world: World, verb: str, words: str, body: Mapping[str, Any], code: int, status: int, said: str
) -> None:
    asked = faces(world)
    command_words, method, path, _ = CHANGES[verb]
    text = command_words.format(world.app) if verb != "rollback" else f"app rollback {world.app}"
    answer, command = asked.command(text + words)
    reply, request = asked.request(method, f"{LIST}/{world.app}{path}", body)
    assert command == request
    assert (answer.code, reply.status_code) == (code, status)
    assert said in command.sentence
    assert command.documents == {}
    assert [(kind, reason) for kind, reason, _ in command.events] == [("Warning", "RequestRefused")]
    assert command.sentence in command.events[0][2]


@pytest.mark.parametrize(
    ("world", "app", "verb", "words", "body", "stored"),
    [
        (BY_HAND, ARGO, "sync", " --prune --revision v1", {"prune": True, "revision": "v1"}, "request"),
        (BY_HAND, ARGO, "sync", " --force --resource :Pod:a", {"force": True, "resources": [":Pod:a"]}, "request"),
        (FLUX_ONE, FLUX, "sync", " --force", {"force": True}, "request"),
        (BY_HAND, ARGO, "rollback", " 1 --prune", {"id": 1, "prune": True}, "request"),
        (FLUX_ONE, FLUX, "rollback", " 2 --pause-automation", {"id": 2, "pauseAutomation": True}, "request"),
        (BY_HAND, "apps", "suspend", "", {}, "override"),
        (SUSPENDED, ARGO, "suspend", "", {}, "override"),
        (GOING, ARGO, "suspend", "", {}, "override"),
        (SUSPENDED, ARGO, "resume", "", {}, "override"),
        (GOING, ARGO, "resume", "", {}, "override"),
        (GOING, ARGO, "delete", " --cascade orphan", {"cascade": "orphan"}, "delete"),
        (FLUX_GOING, FLUX, "delete", " --cascade foreground", {"cascade": "foreground"}, "delete"),
        (HELD, ARGO, "delete", "", {}, "delete"),
        (HELD, "shop", "delete", " --cascade background", {"cascade": "background"}, "delete"),
    ],
)
def test_what_can_be_done_is_stored_alike_and_leaves_the_same_event(
    faces, world: World, app: str, verb: str, words: str, body: Mapping[str, Any], stored: str
) -> None:
    asked = faces(world)
    command_words, method, path, _ = CHANGES[verb]
    text = command_words.format(app) if verb != "rollback" else f"app rollback {app}"
    answer, command = asked.command(text + words)
    reply, request = asked.request(method, f"{LIST}/{app}{path}", body)
    assert (answer.code, reply.status_code) == (0, 202), answer.err
    assert command == request
    assert stored in {name.partition("/")[0] for name in command.documents}
    assert [(kind, reason) for kind, reason, _ in command.events] == [("Normal", f"{verb.capitalize()}Requested")]


@pytest.mark.parametrize("world", [BY_HAND, GOING, FLUX_ONE, FLUX_GOING])
def test_a_refresh_is_stored_alike_and_leaves_the_same_event(faces, world: World) -> None:
    asked = faces(world)
    words, method, path, body = CHANGES["refresh"]
    _, command = asked.command(words.format(world.app))  # it fails in the end, for no worker is there
    reply, request = asked.request(method, f"{LIST}/{world.app}{path}", body)
    assert reply.status_code == 202
    assert (command.documents, command.events) == (request.documents, request.events)
    assert list(command.documents) == [f"refresh/{world.app}"]
    assert [(kind, reason) for kind, reason, _ in command.events] == [("Normal", "RefreshRequested")]


@pytest.mark.parametrize("words", ["app wait {} --timeout 0.1", "app manifests {}"])
@pytest.mark.parametrize("name", ["application/argocd/nobody", "nobody", "shop"])
def test_what_only_the_command_line_does_finds_by_the_same_rule(faces, words: str, name: str) -> None:
    asked = faces(World(MANUAL, twin=True))
    answer, command = asked.command(words.format(name))
    reply, request = asked.request("GET", f"{LIST}/{name}")
    assert command == request
    assert (answer.code, reply.status_code) == ((2, 409) if name == "shop" else (1, 404))


@pytest.mark.parametrize("verb", ["get", "history", "explain", "events"])
@pytest.mark.parametrize("name", [ARGO, "shop", FLUX])
def test_what_is_read_is_the_same_to_every_face(faces, verb: str, name: str) -> None:
    asked = faces(World(MANUAL, {"repository": "https://ann:secret@git.example.com/shop.git"}))
    words, path = READS[verb]
    answer, _ = asked.command(words.format(name))
    reply, _ = asked.request("GET", f"{LIST}/{name}{path}")
    assert (answer.code, reply.status_code) == (0, 200)
    printed, sent = json.loads(answer.out), reply.json()
    assert printed == sent.get("items", sent)
    assert "secret" not in answer.out + reply.text


def test_the_events_of_an_application_that_is_gone_are_told_by_every_face(faces) -> None:
    asked = faces(BY_HAND)
    gone = "application/argocd/gone"
    asked.installation.state.add_events([Event("2026-01-01T00:00:00Z", gone, "Normal", "Removed", "It is gone.")])
    answer, _ = asked.command(f"events {gone} -o json")
    reply, _ = asked.request("GET", f"{LIST}/{gone}/events")
    assert (answer.code, reply.status_code) == (0, 200)
    assert json.loads(answer.out) == reply.json()["items"]
    assert [event["message"] for event in reply.json()["items"]] == ["It is gone."]


def test_a_change_that_is_not_taken_leaves_what_was_asked_before(faces) -> None:
    asked = faces(World(MANUAL, enrolled=False))
    state = asked.installation.state
    for ask in (
        lambda: asked.command(f"app resume {ARGO}"),
        lambda: asked.request("POST", f"{LIST}/{ARGO}/resume", {}),
    ):
        state.save(raw("override"), ARGO, {"suspended": True, "by": "bob"})
        _, verdict = ask()
        assert verdict.refused
        assert verdict.documents == {f"override/{ARGO}": {"suspended": True}}
