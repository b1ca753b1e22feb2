"""How long a wave of deletes holds up the next one: not for strangers, not the next commit, not at the end."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.model import Phase
from gitops_workers.core.objects import Manifest, ObjectKey
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

APP = "application/argocd/web"
HELD = ["example.com/hold"]


def settings(name: str, wave: int | None = None, **metadata: Any) -> Manifest:
    found = manifest("ConfigMap", name, wave=wave, data={"v": "1"})
    found["metadata"] |= metadata
    return found


@pytest.fixture
def lab() -> Lab:
    """Three objects are live, and Git keeps the first; the one of the last wave is held by a finalizer."""
    lab = Lab()
    lab.declare(prune=True, self_heal=True)
    lab.push(settings("kept"), settings("base"), settings("top", 1))
    lab.run(10)
    lab.cluster.edit(settings("top", namespace="shop", finalizers=HELD))
    lab.push(settings("kept"))
    lab.poll_repository()
    lab.run(10)
    return lab


def let_go(lab: Lab) -> None:
    live = lab.live("ConfigMap", "top")
    assert live is not None
    version = live["metadata"]["resourceVersion"]
    lab.cluster.set_finalizers(ObjectKey("", "ConfigMap", "shop", "top"), [], resource_version=version)


def test_who_comes_back_under_the_name_is_not_waited_for(lab: Lab) -> None:
    let_go(lab)
    lab.cluster.edit(settings("top", namespace="shop"))
    lab.run(10)
    assert lab.live("ConfigMap", "base") is None
    assert lab.live("ConfigMap", "top"), "somebody else's"


def test_what_hangs_holds_up_its_own_sync_only(lab: Lab) -> None:
    lab.push(settings("kept"), settings("new", 2))
    lab.poll_repository()
    lab.run(10)
    assert lab.live("ConfigMap", "new")
    assert lab.live("ConfigMap", "base") is None
    operation = lab.status(APP).operation
    assert operation is not None
    assert operation.phase is Phase.SUCCEEDED


def test_the_last_wave_of_a_sync_is_waited_for_by_nobody() -> None:
    lab = Lab()
    lab.declare(prune=True)
    lab.push(settings("kept"), settings("dropped"))
    lab.run(10)
    lab.cluster.edit(settings("dropped", namespace="shop", finalizers=HELD))
    lab.push(settings("kept"))
    lab.poll_repository()
    lab.run(10)
    operation = lab.status(APP).operation
    assert operation is not None
    assert operation.phase is Phase.SUCCEEDED
