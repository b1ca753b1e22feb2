"""Real beat and worker processes tell the store that they are there, and that they go."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from gitops_workers import alive
from gitops_workers.core.telemetry.presence import BEAT, CONTROL, WORKER, Presence
from gitops_workers.local.redis_server import embedded_redis
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_telemetry
from tests.integration.scheduler.conftest import until
from tests.servers.engine import free_port, running_engine

EDITED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd}
data: {resource.customizations.ignoreDifferences.all: "jsonPointers: [/spec/replicas]"}
"""


@pytest.fixture
def telemetry(tmp_path: Path):
    """The heartbeats of a beat, two workers of fleet default and a web process."""
    with embedded_redis(tmp_path / "redis") as redis:
        (tmp_path / "secrets").mkdir()
        settings = Settings(
            redis_url=redis.url,
            state=str(tmp_path),
            web_address=f"127.0.0.1:{free_port()}",
            secrets=str(tmp_path / "secrets"),
        )
        with running_engine(settings, tmp_path / "logs") as engine:
            yield engine, open_telemetry(settings)


def test_whoever_starts_is_there_whoever_stops_is_missed_and_whoever_is_killed_is_not_forgotten(telemetry, monkeypatch):
    engine, heartbeats = telemetry
    for name in [name for name in os.environ if name.startswith("GITOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GITOPS_REDIS_URL", engine.settings.redis_url)
    assert alive.main("redis") == 1
    until(lambda: heartbeats.presence().workers("default") == 2 and heartbeats.presence().present(BEAT))
    assert heartbeats.presence().absences(["default"]) == ()
    assert (alive.main("beat"), alive.main("worker")) == (0, 0)
    engine.children["worker-0"].terminate()
    assert heartbeats.presence().workers("default") == 1
    engine.children["beat"].terminate()
    assert "no beat since 2" in heartbeats.presence().absence(BEAT)
    assert (alive.main("beat"), alive.main("worker")) == (1, 0)
    engine.children["worker-1"].signal(signal.SIGKILL)
    engine.children["worker-1"].wait(10)
    [killed] = heartbeats.presence().present(CONTROL)
    assert killed.name.startswith("worker-1@")


def read_by_both(presence: Presence) -> str:
    """The digest of the settings that both workers read, "" where they read different ones."""
    read = [presence.reading(worker) for worker in presence.alive(WORKER)]
    return read[0] if len(read) == 2 and len(set(read)) == 1 else ""


def test_workers_without_tasks_tell_which_settings_their_files_hold_now(telemetry):
    engine, heartbeats = telemetry
    until(lambda: read_by_both(heartbeats.presence()))
    before = read_by_both(heartbeats.presence())
    (Path(engine.settings.secrets) / "argocd-cm.yaml").write_text(EDITED)
    until(lambda: read_by_both(heartbeats.presence()) not in ("", before), 60)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux tells what a process has loaded")
def test_a_beat_that_rings_has_loaded_nothing_of_what_the_tasks_need(telemetry):
    engine, heartbeats = telemetry
    until(lambda: heartbeats.presence().present(BEAT))
    beat, worker = (Path(f"/proc/{engine.children[name].pid}/maps") for name in ("beat", "worker-0"))
    until(lambda: "pydantic_core" in worker.read_text())
    assert "pydantic_core" not in beat.read_text()
