"""What is above the port `Sources` asks no source whether it is Git: an archive is polled, rendered and rolled back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_workers.adapters.sources import SourcesByKind
from gitops_workers.core.model import GIT, AppId, SourceSpec, SyncStatus
from gitops_workers.core.objects import Manifest
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.ports import Urgency
from gitops_workers.testing.volatile_rendering import VolatileClosures, VolatileRenderer
from tests.servers.archive_sources import KIND, PREFIX, ArchiveSources, pack
from tests.unit.pipeline.lab import Lab
from tests.unit.pipeline.moves import config, values


@pytest.fixture
def lab() -> Lab:
    made = Lab()
    sources = SourcesByKind({GIT: made.sources, KIND: ArchiveSources(lambda: made.now)})
    renderer = VolatileRenderer(sources)
    made.context = replace(made.context, sources=sources, closures=VolatileClosures(sources), renderer=renderer)
    return made


def packed(path: Path, *objects: Manifest) -> str:
    return pack(path, {f"web/{number}.json": json.dumps(item).encode() for number, item in enumerate(objects)})


def archived(lab: Lab, path: Path) -> AppId:
    """An automated application of an archive, beside one of the repository."""
    app = lab.declare(name="archived", automated=True, prune=True)
    source = SourceSpec(f"{PREFIX}{path}", path="web", kind=KIND)
    lab.applications[app] = replace(lab.applications[app], source=source)
    lab.enroll()
    return app


def poll_archive(lab: Lab, app: AppId) -> list[str]:
    lab.now += 1.0
    lab.queue.request_poll(repository_group(lab.applications[app]), Urgency.WEBHOOK)
    return lab.run()


def test_an_archive_is_synced_at_the_digest_of_its_bytes(lab: Lab, tmp_path: Path) -> None:
    revision = packed(tmp_path / "shop.tar", config("a"))
    app = archived(lab, tmp_path / "shop.tar")
    lab.run()
    status = lab.status(app)
    assert (status.sync, status.revision) == (SyncStatus.SYNCED, revision)
    assert lab.live("ConfigMap", "a") is not None


def test_a_new_archive_is_found_by_its_poll_and_what_is_gone_from_it_is_pruned(lab: Lab, tmp_path: Path) -> None:
    packed(tmp_path / "shop.tar", config("a"), config("b"))
    app = archived(lab, tmp_path / "shop.tar")
    lab.run()
    revision = packed(tmp_path / "shop.tar", config("a", "2"))
    assert f"reconcile {app}" in poll_archive(lab, app)
    assert lab.status(app).revision == revision
    assert values(lab) == {"a": "2"}


def test_an_archive_that_is_gone_leaves_everything_as_it_is(lab: Lab, tmp_path: Path) -> None:
    packed(tmp_path / "shop.tar", config("a"))
    app = archived(lab, tmp_path / "shop.tar")
    lab.run()
    (tmp_path / "shop.tar").unlink()
    lab.queue.request(app, "looked at", Urgency.MANUAL)
    lab.now += 1.0
    lab.run()
    assert "cannot be read" in lab.status(app).message
    assert values(lab) == {"a": "1"}


def test_a_rollback_renders_the_archive_of_that_time(lab: Lab, tmp_path: Path) -> None:
    first = packed(tmp_path / "shop.tar", config("a"))
    app = archived(lab, tmp_path / "shop.tar")
    lab.run()
    packed(tmp_path / "shop.tar", config("a", "2"))
    poll_archive(lab, app)
    assert values(lab) == {"a": "2"}
    lab.ask(app, rollback=0, pause=True)
    lab.run(3)
    assert values(lab) == {"a": "1"}
    assert lab.status(app).operation.revision == first


def test_a_repository_and_an_archive_are_polled_apart(lab: Lab, tmp_path: Path) -> None:
    packed(tmp_path / "shop.tar", config("a"))
    app = archived(lab, tmp_path / "shop.tar")
    lab.push(config("c"), path="git")
    other = lab.declare(name="other", path="git", automated=True)
    lab.run()
    commit = lab.push(config("c", "2"), path="git")
    assert f"reconcile {app}" not in lab.poll_repository()
    lab.now += 1.0
    lab.queue.request_poll(repository_group(lab.applications[other]), Urgency.WEBHOOK)
    assert f"reconcile {app}" not in lab.run()
    assert lab.status(other).revision == commit
    assert values(lab) == {"a": "1", "c": "2"}


def test_a_source_of_a_kind_that_only_a_newer_release_knows_is_tried_again(lab: Lab, tmp_path: Path) -> None:
    packed(tmp_path / "shop.tar", config("a"))
    app = archived(lab, tmp_path / "shop.tar")
    lab.run()
    declared = lab.applications[app]
    lab.applications[app] = replace(declared, source=replace(declared.source, kind="bucket"))
    lab.enroll()
    lab.queue.request(app, "looked at", Urgency.MANUAL)
    lab.run()
    assert "upgrade the workers" in lab.status(app).message
    assert values(lab) == {"a": "1"}
