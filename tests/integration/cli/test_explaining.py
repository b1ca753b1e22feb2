"""`app explain` on a terminal and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from gitops_workers.core.model import SyncStatus
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.integration.cli.conftest import Answer, Installation

Cli = Callable[..., Answer]
FACTS = {
    "commit": "c" * 40,
    "ref": "main",
    "inputs": "1" * 64,
    "files": 3,
    "inputs_before": "2" * 64,
    "commit_before": "b" * 40,
    "changed": ["~ deploy/app.yaml"],
    "changes": 1,
    "rendered": "3" * 64,
    "objects": 4,
    "prune": "nothing left Git",
}


def test_people_read_the_reason_first_and_then_every_stage(installation: Installation, cli: Cli) -> None:
    row = installation.rows[0]
    message = "Deployment x; automated sync is off: run `gitops-workers app sync x`."
    installation.state.save_status(replace(row, sync=SyncStatus.OUT_OF_SYNC, message=message, suspended=False))
    installation.state.save(raw("explanation"), row.id, FACTS)
    answer = cli("app", "explain", row.id)
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert lines[0] == f"Application:  {row.id}"
    assert lines[1] == f"Why:          {message}"
    assert lines[2].startswith("Next look:    ")
    assert lines[3] == "Earlier by:   a push to its repository (webhook)"
    titles = [line for line in lines if line and not line.startswith(" ")][4:]
    assert titles == ["Last attempt", "Revision", "Inputs", "Render", "Policy", "Comparison", "Prune"]
    assert "  ~ deploy/app.yaml" in lines


def test_programs_get_the_same_as_json(installation: Installation, cli: Cli) -> None:
    row = installation.rows[0]
    installation.state.save(raw("explanation"), row.id, FACTS)
    found = json.loads(cli("app", "explain", row.id.rpartition("/")[2], "-o", "json").out)
    assert set(found) == {"id", "why", "nextLook", "earlier", "stages"}
    assert {"name": "Render", "lines": ["4 objects, digest 333333333333, rendered anew"]} in found["stages"]


def test_an_application_that_is_due_and_not_looked_at_is_told_from_one_at_rest(
    installation: Installation, cli: Cli
) -> None:
    row = installation.rows[1]
    installation.state.save_status(replace(row, suspended=False, cluster="prod-eu-1"))
    installation.queue.request(row.id, "look", Urgency.MANUAL)
    assert json.loads(cli("app", "explain", row.id, "-o", "json").out)["why"].startswith("It is due and waits")
    attempt = installation.queue.begin(row.id, 30.0)
    assert attempt is not None
    found = json.loads(cli("app", "explain", row.id, "-o", "json").out)
    assert found["why"] == "A worker is at it right now."
    assert found["nextLook"]["message"] == "now"


def test_hostile_text_does_not_steer_the_terminal(installation: Installation, cli: Cli) -> None:
    row = installation.rows[0]
    evil = "\x1b]0;owned\x07\x1b[2Jgone\r\nWhy: all is well"
    installation.state.save(raw("explanation"), row.id, {**FACTS, "changed": [evil], "ref": evil, "prune": evil})
    answer = cli("app", "explain", row.id)
    assert "\x1b" not in answer.out
    assert "\r" not in answer.out
    assert not any(line.startswith("Why: all is well") for line in answer.out.splitlines())
