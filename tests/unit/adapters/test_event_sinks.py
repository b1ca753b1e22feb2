"""Which sinks a setting opens, and what the webhook sends to a real HTTP server and makes of its answers."""

from __future__ import annotations

import json

import pytest

from gitops_workers.adapters.sinks import open_sinks
from gitops_workers.adapters.sinks.webhook import WebhookSink
from gitops_workers.core.errors import InvalidManifest, Refused, Retry
from gitops_workers.core.status.rows import Event
from tests.servers.event_receiver import PATH, receiver

EVENT = Event(
    "2026-01-01T00:00:00Z", "application/argocd/web", "Normal", "R", "done", id="7-0", operation="op", attempt=3
)
SECRET = PATH.strip("/")


def test_the_webhook_posts_the_event_with_its_id() -> None:
    with receiver(204) as (url, got):
        open_sinks([f"webhook={url}"])["webhook"].deliver(EVENT)
    ((path, key, body),) = got
    assert (path, key, json.loads(body)) == (PATH, "7-0", EVENT.to_json())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Refused),
        (404, Refused),
        (410, Refused),
        (302, Retry),
        (408, Retry),
        (429, Retry),
        (500, Retry),
        (503, Retry),
    ],
)
def test_an_answer_says_whether_the_event_is_tried_again_and_is_sent_to_no_other_place(
    status: int, error: type[Exception]
) -> None:
    with receiver(status) as (url, got), pytest.raises(error) as raised:
        WebhookSink(url).deliver(EVENT)
    assert str(status) in str(raised.value)
    assert SECRET not in str(raised.value)
    assert [path for path, _, _ in got] == [PATH]


def test_a_receiver_that_is_not_there_is_tried_again_and_its_url_is_not_told() -> None:
    with receiver(204) as (url, _):
        pass
    with pytest.raises(Retry) as raised:
        WebhookSink(url).deliver(EVENT)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "webhook",
        "webhook=",
        f"webhook=http://chat.example/{SECRET}",
        f"webhook=https://ann:{SECRET}@chat.example",
        f"webhook=https://[{SECRET}",
        f"webhook=https://chat.example:{SECRET}/",
        f"chat=https://chat.example/{SECRET}",
    ],
)
def test_a_target_that_cannot_be_used_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidManifest, match="GITOPS_EVENT_SINKS") as raised:
        open_sinks([text])
    assert SECRET not in str(raised.value)


def test_a_sink_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidManifest, match="stands twice"):
        open_sinks(["webhook=https://a.example", "webhook=https://b.example"])
