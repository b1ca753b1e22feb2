"""Whoever can write Redis must not thereby write to clusters (T35)."""

from dataclasses import replace

import pytest
import zstandard

from gitops_workers.adapters.redis_state import RedisState
from gitops_workers.cipher import Cipher
from gitops_workers.core.documents.kinds import FAILURES, OVERRIDE
from gitops_workers.core.documents.wills import Override
from gitops_workers.core.render.render_spec import HelmOptions
from gitops_workers.core.telemetry.presence import Presence
from gitops_workers.testing.volatile_queue import VolatileQueue
from tests.contract.test_state_port import FULL, PLAIN
from tests.security.leaks import found


def nobody() -> Presence:
    return Presence(1000.0)


@pytest.fixture
def queue():
    return VolatileQueue(lambda: 1000.0)


@pytest.fixture
def real(store, queue):
    return RedisState(store, queue.cluster_loads, nobody, key=b"secret")


def test_an_application_written_without_the_key_is_as_good_as_absent(real, store, queue):
    RedisState(store, queue.cluster_loads, nobody, key=b"another").save_applications([PLAIN])
    assert real.application(PLAIN.id) is None


def test_an_application_copied_to_another_id_is_as_good_as_absent(real, store):
    real.save_applications([PLAIN])
    store.hset("gitops:apps", FULL.id, store.hget("gitops:apps", PLAIN.id))
    assert real.application(FULL.id) is None


def test_nobody_reads_an_application_in_redis(real, store):
    app = replace(FULL, render=replace(FULL.render, helm=HelmOptions(values="password: kanarie-0815")))
    real.save_applications([app])
    assert real.application(app.id) == app
    assert not found(["kanarie", app.source.url], store.hget("gitops:apps", app.id))


def test_a_document_with_a_flipped_bit_is_as_good_as_absent(real, store):
    real.save(FAILURES, PLAIN.id, 3)
    stored = bytearray(store.hget("gitops:doc:failures", PLAIN.id))
    stored[-3] ^= 1
    store.hset("gitops:doc:failures", PLAIN.id, bytes(stored))
    assert real.load(FAILURES, PLAIN.id) is None


def test_a_suspension_that_was_edited_holds_still(real, store):
    real.save(OVERRIDE, PLAIN.id, Override(suspended=True, by="ann"))
    forger = RedisState(store, VolatileQueue(lambda: 1000.0).cluster_loads, nobody, key=b"another")
    forger.save(OVERRIDE, PLAIN.id, Override(suspended=False, by="mallory", resumed_at=1000.0))
    override = real.load(OVERRIDE, PLAIN.id)
    assert (override.suspended, override.resumed_at) == (True, 0.0)
    assert "another key" in override.problem


def test_an_application_of_another_version_is_as_good_as_absent(real, store):
    sealed = Cipher(b"secret").close(f"application {PLAIN.id}", b'{"id": "application/argocd/shop", "new": 1}')
    store.hset("gitops:apps", PLAIN.id, sealed)
    assert real.application(PLAIN.id) is None


def test_a_bomb_in_the_resources_is_not_unpacked(real, store):
    store.hset("gitops:resources", PLAIN.id, zstandard.compress(bytes(200 * 1024 * 1024)))
    assert real.resources(PLAIN.id) == ()
