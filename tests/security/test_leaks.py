"""The search for leaks finds what is there, and nothing in the random bytes of what is sealed."""

from __future__ import annotations

import base64
import re
import threading
import time

import redis
import zstandard
from redis.connection import AbstractConnection

from gitops_workers.local.redis_server import embedded_redis
from tests.security.leaks import Monitor, dump, found
from tests.security.test_t37_messages import USERINFO

CANARY = "kanarie-7c21"


def test_a_canary_is_found_in_every_disguise():
    raw = CANARY.encode()
    for data in (raw, base64.b64encode(b"padding " + raw), zstandard.compress(raw), zstandard.compress(raw * 50)):
        assert found([CANARY], b"\xff" + data) == [CANARY]
    assert found([CANARY], b"kanarie-7c2") == []


def test_a_listener_that_comes_late_hears_everything(tmp_path, monkeypatch):
    read = AbstractConnection.read_response

    def late(connection, *args, **options):
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.05)
        return read(connection, *args, **options)

    monkeypatch.setattr(AbstractConnection, "read_response", late)
    with embedded_redis(tmp_path) as server, redis.Redis.from_url(server.url) as client, Monitor(server.url) as monitor:
        for number in range(20):
            client.set(f"key-{number}", number)
    heard = [command[1] for command in monitor.commands() if command[0] == b"SET"]
    assert heard == [b"key-%d" % number for number in range(20)]


def test_a_name_and_the_sealed_bytes_beside_it_are_looked_at_apart(tmp_path):
    with embedded_redis(tmp_path) as server, redis.Redis.from_url(server.url) as client, Monitor(server.url) as monitor:
        client.hset("gitops:doc:https://git.example", "field", b'\x01@"\\\r\n\x9f')
        client.set("leak", "https://ann:" + CANARY + "@git.example/a.git")
        stored = dict(dump(client))
    commands = monitor.commands()
    assert [b"HSET", b"gitops:doc:https://git.example", b"field", b'\x01@"\\\r\n\x9f'] in commands
    suspicious = [item for command in commands for item in command if USERINFO.search(item)]
    assert suspicious == [b"https://ann:" + CANARY.encode() + b"@git.example/a.git"]
    assert [part for parts in stored.values() for part in parts if USERINFO.search(part)] == suspicious
    assert re.search(USERINFO, b"".join(stored["gitops:doc:https://git.example"])), "joined, they look like a login"
