"""Kombu's channel as this project changes it, on a real Redis."""

from __future__ import annotations

import multiprocessing

from gitops_workers.app import build
from gitops_workers.settings import Settings


def test_a_channel_has_one_client_and_a_forked_process_one_on_connections_of_its_own(redis_url):
    with build(Settings(redis_url=redis_url)).connection() as connection:
        channel = connection.default_channel
        queue = connection.SimpleQueue("letters", channel=channel)
        queue.put("mother")
        with channel.conn_or_acquire() as client, channel.conn_or_acquire() as again:
            assert again is client

        def child() -> None:
            with channel.conn_or_acquire() as own:
                assert own is not client
                assert own.connection_pool is channel.pool
            queue.put("child")

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(30)
        assert process.exitcode == 0
        received = [queue.get(timeout=10) for _ in range(2)]
        for message in received:
            message.ack()
        assert [message.payload for message in received] == ["mother", "child"]
