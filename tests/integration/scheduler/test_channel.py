"""Kombu's channel as this project changes it, on a real Redis."""

from __future__ import annotations

from gitops_workers.app import build
from gitops_workers.settings import Settings


def test_a_channel_has_one_client_of_its_connections_and_a_new_one_of_new_connections(redis_url):
    with build(Settings(redis_url=redis_url)).connection() as connection:
        channel = connection.default_channel
        queue = connection.SimpleQueue("letters", channel=channel)
        for number in range(2):
            queue.put(number)
        with channel.conn_or_acquire() as first, channel.conn_or_acquire() as again:
            assert again is first
        received = [queue.get(timeout=10) for _ in range(2)]
        for message in received:
            message.ack()
        assert [message.payload for message in received] == [0, 1]
        channel.close()  # what kombu does when a connection is lost
        with channel.conn_or_acquire() as second:
            assert second.connection_pool is channel.pool
            assert second is not first
            assert second.ping()
