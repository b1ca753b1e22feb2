"""T34: bytes in the broker are data. A pickled command is refused, and the workers go on."""

from __future__ import annotations

import base64
import json
import pickle
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.integration.engine.installation import Installation, Repository, config_map, installation

QUEUES = ("gitops:celery:control", "gitops:celery:fleet.default")


class Command:
    """What unpickles to a call."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


def message(body: bytes, kind: str, task: str = "gitops.poll", **headers: Any) -> bytes:
    """A message as kombu puts it into a Redis list."""
    identity = str(uuid.uuid4())
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "binary",
            "content-type": kind,
            "headers": {"lang": "py", "task": task, "id": identity, "root_id": identity, **headers},
            "properties": {
                "correlation_id": identity,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "control"},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
    ).encode()


@pytest.fixture(scope="module")
def site(planes, tmp_path_factory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("engine"), planes) as running:
        yield running


@pytest.fixture(scope="module")
def repository(site) -> Repository:
    repository = site.repository("shop.git")
    repository.push({"web/a.yaml": config_map("web")})
    site.declare("web.yaml", site.argo("web", repository.url, "web"))
    site.until_synced(site.app("web"))
    return repository


REFUSALS = {
    "application/x-python-serialize": "Refusing to deserialize untrusted content",
    "application/x-yaml": "Refusing to deserialize untrusted content",
    # Kombu always trusts these two; the consumer drops them.
    "application/data": "an unreadable message was dropped (content type application/data)",
    "application/text": "an unreadable message was dropped (content type application/text)",
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_pickled_command_has_no_effect_and_the_workers_live(site, repository, tmp_path, kind):
    canary = tmp_path / "canary"
    body = pickle.dumps((Command(canary), {}, {"callbacks": None}))
    if kind == "application/x-yaml":
        body = f"!!python/object/apply:os.system ['touch {canary}']".encode()
    pickle.loads(pickle.dumps(Command(probe := tmp_path / "probe")))
    assert probe.exists()  # the command works where somebody runs it
    with redis.Redis.from_url(site.redis.url) as client:
        for queue in QUEUES:
            client.lpush(queue, message(body, kind))
        site.until(lambda: not any(client.llen(queue) for queue in QUEUES), "the messages are taken")
    number = str(time.time_ns())
    repository.push({"web/a.yaml": config_map("web", number)})
    site.until(lambda: site.value("web") == number, "the next commit")
    assert not canary.exists()
    for child in site.engine.children.values():
        child.check()
    words = REFUSALS[kind]
    site.until(lambda: words in site.logs(), "the refusal")


def test_pickled_settings_of_a_message_are_not_unpickled_either(site, repository, tmp_path):
    canary = tmp_path / "canary"
    evil = base64.b64encode(pickle.dumps(Command(canary))).decode()
    body = json.dumps([[evil, evil], {"__type__": evil, "__value__": evil}, {}]).encode()
    with redis.Redis.from_url(site.redis.url) as client:
        client.lpush(QUEUES[0], message(body, "application/json", argsrepr=evil, serializer="pickle"))
        site.until(lambda: not client.llen(QUEUES[0]), "the message is taken")
    number = str(time.time_ns())
    repository.push({"web/a.yaml": config_map("web", number)})
    site.until(lambda: site.value("web") == number, "the next commit")
    assert not canary.exists()
    for child in site.engine.children.values():
        child.check()
