"""What the compose file gives to which process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
LONG_LIVED = sorted(set(SERVICES) - {"kubeconfig"})


def mounts(name: str) -> set[str]:
    return {str(volume).split(":")[0] for volume in SERVICES[name].get("volumes", ())}


def test_only_workers_and_the_copy_for_them_have_the_kubeconfig():
    having = {name for name in SERVICES if mounts(name) & {"./kubeconfig", "kubeconfig"}}
    assert having == {"worker", "kubeconfig"}
    naming = {name for name in SERVICES if "GITOPS_KUBECONFIG" in (SERVICES[name].get("environment") or {})}
    assert naming == {"worker"}
    assert SERVICES["worker"]["depends_on"]["kubeconfig"] == {"condition": "service_completed_successfully"}
    assert SERVICES["kubeconfig"]["network_mode"] == "none"


@pytest.mark.parametrize("name", LONG_LIVED)
def test_each_process_has_limits_and_a_health_check(name):
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit", "healthcheck"} <= set(service)
    assert service["healthcheck"]["test"]


def test_redis_wants_a_password_that_no_command_line_shows():
    assert "requirepass %s" in SERVICES["redis"]["command"][2]
    assert "${" not in str(SERVICES["redis"]["command"])
    for name in ("beat", "worker", "web", "flower"):
        assert "redis://:${GITOPS_REDIS_PASSWORD" in SERVICES[name]["environment"]["GITOPS_REDIS_URL"]


def test_renders_have_shared_memory_of_their_own():
    assert SERVICES["worker"]["shm_size"] == "1g"


def test_images_are_pinned_by_an_exact_version():
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    images = [*re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE), SERVICES["redis"]["image"]]
    assert len(images) == 4
    assert all(re.search(r":\d+\.\d+\.\d+(-[a-z-]+)?$", image) for image in images)
