"""Servers that tests share: real control planes and a real Redis, started when the first test wants them.

A server that cannot be started is a skip on a laptop and a failure when CI is set.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import NoReturn

import pytest
from hypothesis import settings

from gitops_workers.core.errors import Refused
from gitops_workers.local.control_plane import ControlPlane
from gitops_workers.local.control_planes import ControlPlanes, control_planes
from gitops_workers.local.redis_server import RedisServer, embedded_redis

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("untimed")


def missing(reason: Refused) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(str(reason))
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def planes(tmp_path_factory) -> Iterator[ControlPlanes]:
    """Two clusters, `east` and `west`, with their controllers. Use a `namespace` of your own."""
    try:
        with control_planes(["east", "west"], state=tmp_path_factory.mktemp("planes"), controllers=True) as started:
            yield started
    except Refused as reason:
        missing(reason)


@pytest.fixture
def namespace(planes: ControlPlanes) -> Iterator[str]:
    """A namespace of this test's own, in every plane."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    both = [planes.named("east"), planes.named("west")]  # a test may have added others, and stopped them
    for plane in both:
        status, answer = plane.call("POST", "/api/v1/namespaces", _namespace(name))
        assert status == 201, answer
    yield name
    for plane in both:
        _discard(plane, name)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory) -> Iterator[RedisServer]:
    """One embedded Redis for the whole run."""
    try:
        with embedded_redis(tmp_path_factory.mktemp("redis")) as server:
            yield server
    except Refused as reason:
        missing(reason)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a real Redis, empty."""
    import redis

    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


def _namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _discard(plane: ControlPlane, name: str) -> None:
    """Begin to delete it; nobody waits for the controller."""
    plane.call("DELETE", f"/api/v1/namespaces/{name}")
