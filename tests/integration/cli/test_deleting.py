"""Promises of `app delete`: nothing is asked for that the catalogue would undo, and nothing without a yes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from gitops_workers.core.prune.deletion_request import Cascade, Deleting, DeletionRequest, HoldReason
from gitops_workers.core.status.rows import Status
from tests.documents import raw
from tests.fleet import application
from tests.integration.cli.conftest import Answer, Installation

Cli = Callable[..., Answer]


class Terminal(io.StringIO):
    """Somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def row(installation: Installation) -> Status:
    """An application that a mass removal holds back."""
    row = installation.rows[0]
    app = replace(application(row.id), leaving=DeletionRequest(7.0, Deleting(Cascade.FOREGROUND), HoldReason.MASS))
    installation.state.save_applications([app])
    return row


def test_a_yes_is_stored_before_the_bell_rings(installation: Installation, row: Status, cli: Cli) -> None:
    installation.state.save(raw("override"), row.id, {"suspended": True, "by": "bob"})
    answer = cli("app", "delete", row.id, "--yes", "--cascade", "orphan")
    assert (answer.code, answer.out) == (0, f"{row.id}: delete asked\n")
    order = installation.state.load(raw("delete"), row.id)
    assert (order["since"], order["cascade"]) == (7.0, "orphan")
    assert installation.state.load(raw("override"), row.id) is None
    assert installation.queue.wanted(row.id) == 1


def test_without_a_terminal_it_wants_a_yes(installation: Installation, row: Status, cli: Cli) -> None:
    answer = cli("app", "delete", row.id)
    assert answer.code == 2
    assert "--yes" in answer.err
    assert installation.state.load(raw("delete"), row.id) is None


@pytest.mark.parametrize(("said", "code", "asked"), [("y\n", 0, True), ("n\n", 1, False)])
def test_on_a_terminal_it_asks(
    installation: Installation, row: Status, cli: Cli, monkeypatch, said: str, code: int, asked: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    answer = cli("app", "delete", row.id)
    assert answer.code == code
    assert "are deleted" in answer.err
    assert (installation.state.load(raw("delete"), row.id) is not None) is asked


def test_one_that_is_declared_stops_all_of_them(installation: Installation, row: Status, cli: Cli) -> None:
    declared = replace(application(installation.rows[1].id), origin="fleet/shop.yaml")
    installation.state.save_applications([declared])
    answer = cli("app", "delete", row.id, declared.id, "--yes")
    assert answer.code == 1
    assert "declared in fleet/shop.yaml" in answer.err
    assert installation.state.load(raw("delete"), row.id) is None
