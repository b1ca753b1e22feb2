"""`doctor`: every line is ok or says what to do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import SETTINGS
from gitops_workers.core.errors import Refused
from gitops_workers.core.settings.settings_version import SettingsVersion
from gitops_workers.core.telemetry.presence import WORKER, Process
from tests.integration.cli.conftest import KEY, Answer, Installation

Cli = Callable[..., Answer]
BROKEN = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"


def findings(answer: Answer) -> dict[str, tuple[str, str]]:
    return {item["subject"]: (item["state"], item["text"]) for item in json.loads(answer.out)}


def test_a_healthy_store_and_git_are_ok(installation: Installation, cli: Cli) -> None:
    found = findings(cli("doctor", "-o", "json"))
    assert found["redis"][0] == "ok"
    assert found["applications"] == ("ok", "3 known")
    assert found["processes"] == ("ok", "1 beat, 1 worker")
    assert found["git"][0] == "ok"
    assert found["catalogue"][0] == "advice"
    assert found["sandbox"][0] in ("ok", "advice")
    assert "network is closed" in found["sandbox"][1]


def test_whoever_is_missing_is_named_and_exits_with_1(installation: Installation, cli: Cli) -> None:
    installation.telemetry.leave(installation.worker)
    answer = cli("doctor", "-o", "json")
    assert answer.code == 1
    said = [item["text"] for item in json.loads(answer.out) if item["subject"] == "processes"]
    assert [text.partition(" since ")[0] for text in said] == [
        "no worker of queue control",
        "no worker of fleet default",
        "no worker of fleet edge",
    ]


def test_a_worker_that_reads_other_settings_than_those_in_force_is_named(installation: Installation, cli: Cli) -> None:
    installation.state.save(SETTINGS, WHOLE, SettingsVersion("5ec0nd", 100.0))
    for name, digest in (("two@host", "5ec0nd"), ("three@host", "f1rst"), ("four@host", "")):
        installation.telemetry.report(Process(WORKER, name, ("control",)), {}, digest)
    said = [item for item in json.loads(cli("doctor", "-o", "json").out) if item["subject"] == "argocd-cm"]
    assert [item["state"] for item in said] == ["advice"]
    assert said[0]["text"].startswith("worker three@host reads settings f1rst, and 5ec0nd are in force")
    assert "GITOPS_SECRETS" in said[0]["text"]


@pytest.mark.parametrize(
    ("place", "state", "said"),
    [
        ("git+https://u:canary@git.example.com/team/fleet.git#main:clusters", "ok", "read by the workers"),
        ("git+https://u:canary@git.example.com/team/fleet.git#main:../up", "failed", "Write git+URL#ref:path"),
    ],
)
def test_a_git_catalogue_is_read_as_workers_read_it_and_shown_without_its_password(
    installation: Installation, cli: Cli, place: str, state: str, said: str
) -> None:
    answer = cli("doctor", "--catalogue", place, "-o", "json")
    found = findings(answer)["catalogue"]
    assert found[0] == state
    assert said in found[1]
    assert "canary" not in answer.out + answer.err


def test_what_is_broken_is_named_and_exits_with_1(
    installation: Installation, cli: Cli, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue" / "a.yaml").write_text(BROKEN)
    monkeypatch.setenv("GITOPS_CACHE_KEY", KEY.replace("5a", "5b"))
    answer = cli("doctor", "--catalogue", str(tmp_path / "catalogue"), "--kubeconfig", "/nonexistent", "-o", "json")
    assert answer.code == 1
    found = findings(answer)
    assert found["redis"][0] == "failed"
    assert "GITOPS_CACHE_KEY" in found["redis"][1]
    assert found["catalogue"][0] == "failed"
    assert "a.yaml" in found["catalogue"][1]
    assert found["clusters"][0] == "failed"


def test_a_redis_that_does_not_answer_is_one_line_and_the_rest_is_still_looked_at(
    installation: Installation, cli: Cli, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("GITOPS_REDIS_URL", f"unix://{tmp_path}/nobody.sock?db=0")
    answer = cli("doctor")
    assert answer.code == 1
    lines = [line.split() for line in answer.out.splitlines()]
    assert ["redis", "failed"] in [line[:2] for line in lines]
    assert ["git", "ok"] in [line[:2] for line in lines]


def test_a_cluster_that_answers_is_ok(installation: Installation, cli: Cli, planes, tmp_path: Path) -> None:
    from gitops_workers.local.control_planes import write_kubeconfig

    kubeconfig = write_kubeconfig(planes, tmp_path / "kubeconfig")
    found = findings(cli("doctor", "--kubeconfig", str(kubeconfig), "-o", "json"))
    assert found["cluster east"][0] == "ok"
    assert found["cluster west"][0] == "ok"


@pytest.mark.parametrize(
    ("says", "fits"),
    [
        ("git version 2.30.2", False),
        ("git version 2.34.1", False),
        ("git version 2.38.9", False),
        ("git version 2.39.0", True),
        ("git version 3.0.1 (Apple Git-155)", True),
        ("", False),
    ],
)
def test_a_git_is_good_enough_for_doctor_exactly_where_it_is_for_a_worker(
    installation: Installation, cli: Cli, tmp_path: Path, monkeypatch, says: str, fits: bool
) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    state, text = findings(cli("doctor", "-o", "json"))["git"]
    assert (state == "ok") is fits, text
    if fits:
        assert GitProgram(GitSettings(), tmp_path).version == text
    else:
        with pytest.raises(Refused) as refusal:
            GitProgram(GitSettings(), tmp_path)
        assert text == str(refusal.value)
