"""The processes are the same wherever they are written down."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from gitops_workers.local.processes import environment, programs
from gitops_workers.settings import Settings, read

ROOT = Path(__file__).parents[3]


def commands() -> dict[str, list[str]]:
    """What `up` starts, as it is written in the Procfile: without the interpreter and a worker's own name."""
    found = {}
    for program in programs(workers=1, fleets=["default"]):
        words = list(program.argv[1:])
        words = words[1:] if words[:2] == ["-m", "celery"] else ["python", *words]
        if "--name" in words:
            del words[words.index("--name") : words.index("--name") + 2]
        found[program.name.removesuffix("-1")] = words
    return found


def test_the_procfile_names_what_up_starts() -> None:
    written = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    assert written.pop("redis")
    assert {name: shlex.split(command) for name, command in written.items()} == commands()


@pytest.mark.parametrize("name", ["beat", "worker", "web", "flower"])
def test_the_compose_file_names_what_up_starts(name: str) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert shlex.split(services[name]["command"]) == commands()[name]


def test_children_get_these_settings_and_no_others() -> None:
    settings = Settings(redis_url="unix:///x?db=0", admission=7, tokens=("read=0123456789abcdef",))
    found = environment(settings, {"GITOPS_LEASE": "5", "PATH": "/bin", "PYTHONPATH": "/mine"})
    assert read(found) == settings
    assert found["PATH"] == "/bin"
    assert found["PYTHONPATH"].endswith(":/mine")


@pytest.mark.parametrize("name", ["beat", "worker-1", "web", "flower"])
@pytest.mark.parametrize("wrong", [("REDIS_URL", "foo"), ("LOG_LEVEL", "loud"), ("UNHEARD_OF", "1")])
def test_a_wrong_setting_ends_every_process_with_one_sentence(
    tmp_path: Path, name: str, wrong: tuple[str, str]
) -> None:
    [program] = [one for one in programs(workers=1, fleets=["default"]) if one.name == name]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GITOPS_")}
    done = subprocess.run(
        program.argv,
        env={**kept, "PYTHONPATH": str(ROOT), f"GITOPS_{wrong[0]}": wrong[1]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode not in (0, None)
    assert f"GITOPS_{wrong[0]}: " in done.stderr
    assert "Traceback" not in done.stderr
