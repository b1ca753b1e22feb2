"""What stands in Redis can neither be read nor forged there."""

from __future__ import annotations

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from gitops_workers.adapters.render_cache import RedisRenderCache
from gitops_workers.cipher import Cipher

KEY = bytes(range(32))
VALUE = b'{"kind":"Secret","data":{"p":"canary-7f3a"}}' * 50


@pytest.fixture
def client(redis_url):
    with redis.Redis.from_url(redis_url) as opened:
        yield opened


def test_what_was_put_comes_back(client):
    cache = RedisRenderCache(client, Cipher(KEY), "r:")

    cache.put("a", VALUE, 60)

    assert cache.get("a") == VALUE
    assert cache.get("b") is None


def test_redis_holds_nothing_readable_and_less_of_it(client):
    RedisRenderCache(client, Cipher(KEY), "r:").put("a", VALUE, 60)

    stored = client.get("r:a")

    assert b"canary" not in stored
    assert len(stored) < len(VALUE) / 4


def test_entries_expire(client):
    RedisRenderCache(client, Cipher(KEY), "r:").put("a", VALUE, 60)

    assert 0 < client.pttl("r:a") <= 60_000


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("forge", [flipped, lambda data: data[:20], lambda _: b"", lambda _: b"x" * 100])
def test_a_changed_entry_is_a_miss(client, forge):
    cache = RedisRenderCache(client, Cipher(KEY), "r:")
    cache.put("a", VALUE, 60)

    client.set("r:a", forge(client.get("r:a")))

    assert cache.get("a") is None


def test_an_entry_copied_to_another_key_is_a_miss(client):
    cache = RedisRenderCache(client, Cipher(KEY), "r:")
    cache.put("a", VALUE, 60)

    client.set("r:b", client.get("r:a"))

    assert cache.get("b") is None


def test_another_cache_key_reads_nothing(client):
    RedisRenderCache(client, Cipher(KEY), "r:").put("a", VALUE, 60)

    assert RedisRenderCache(client, Cipher(bytes(32)), "r:").get("a") is None


def test_without_redis_everything_is_a_miss():
    cache = RedisRenderCache(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), Cipher(KEY), "r:")

    cache.put("a", VALUE, 60)

    assert cache.get("a") is None
