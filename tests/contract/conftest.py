"""The stores that the contract suites of `State` and `Queue` run over."""

from collections.abc import Callable, Iterator

import pytest

from gitops_workers.local.redis_server import embedded_redis
from gitops_workers.redis_client import RedisClient, connect
from tests.contract.queue_grounds import Ground, RedisGround, VolatileGround


@pytest.fixture(scope="session")
def store_server(tmp_path_factory) -> Iterator[RedisClient]:
    with embedded_redis(tmp_path_factory.mktemp("store")) as server:
        client = connect(server.url)
        yield client
        client.close()


@pytest.fixture
def store(store_server) -> RedisClient:
    """A real Redis, empty."""
    store_server.flushall()
    return store_server


@pytest.fixture(params=["redis", "volatile"])
def make_ground(request) -> Callable[..., Ground]:
    """Either queue with a clock of the test's; takes the queue's options."""

    def made(**options):
        if request.param == "volatile":
            return VolatileGround(**options)
        return RedisGround(request.getfixturevalue("store"), **options)

    return made
