"""Promises of the commands that look: filters, orders, names, and every form of output."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.status.rows import OperationView, ResourceView
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.ports import StatusQuery
from tests.documents import raw
from tests.fleet import application
from tests.integration.cli.conftest import Answer, Installation

Cli = Callable[..., Answer]
WELL = SyncStatus.SYNCED


def names(answer: Answer) -> list[str]:
    return answer.out.split()


def test_a_listing_names_every_application_in_order(installation: Installation, cli: Cli) -> None:
    answer = cli("app", "list", "-o", "name")
    assert answer.code == 0
    assert names(answer) == sorted(row.id for row in installation.rows)


def test_the_table_has_a_title_and_one_line_each(installation: Installation, cli: Cli) -> None:
    lines = cli("app", "list").out.splitlines()
    assert lines[0].split()[:3] == ["NAME", "SYNC", "HEALTH"]
    assert len(lines) == 1 + len(installation.rows)
    assert not any("\x1b" in line for line in lines)
    assert "REPOSITORY" in cli("app", "list", "-o", "wide").out.splitlines()[0]


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_programs_get_the_design_s_shape(installation: Installation, cli: Cli, output: str) -> None:
    read = json.loads if output == "json" else yaml.safe_load
    found = read(cli("app", "list", "-o", output).out)
    assert [item["id"] for item in found] == sorted(row.id for row in installation.rows)
    assert {
        "id", "dialect", "project", "destination", "sync", "health", "operation", "conditions", "suspended",
        "lastCheckedAt", "nextDueAt",
    } <= found[0].keys()  # fmt: skip


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        (("--sync", "outofsync"), lambda row: row.sync == "OutOfSync"),
        (("--health", "Degraded"), lambda row: row.health == "Degraded"),
        (("--project", "search"), lambda row: row.project == "search"),
        (("--dialect", "flux"), lambda row: row.dialect == "flux"),
        (("--cluster", "prod-eu-1"), lambda row: row.cluster == "prod-eu-1"),
        (("checkout-a",), lambda row: "checkout-a" in row.id),
        (("--project", "search", "--sync", "Synced"), lambda row: row.project == "search" and row.sync is WELL),
    ],
)
def test_filters_leave_exactly_what_fits(installation: Installation, cli: Cli, options: tuple[str, ...], fits) -> None:
    # The detailed first row was saved once more by `fill`, with other words: the store is what counts.
    rows = [installation.state.status(row.id) for row in installation.rows]
    assert names(cli("app", "list", *options, "-o", "name")) == sorted(row.id for row in rows if fits(row))


def test_sorting_puts_the_worst_first_and_reverse_turns_it(installation: Installation, cli: Cli) -> None:
    found = json.loads(cli("app", "list", "--sort", "sync", "-o", "json").out)
    order = ["OutOfSync", "Unknown", "Synced"]
    places = [order.index(item["sync"]["status"]) for item in found]
    assert places == sorted(places)
    assert len(set(places)) > 1
    turned = json.loads(cli("app", "list", "--sort", "sync", "--reverse", "-o", "json").out)
    assert [item["sync"]["status"] for item in turned] == [item["sync"]["status"] for item in found][::-1]


def test_tables_begin_with_trouble_and_say_why(installation: Installation, cli: Cli) -> None:
    failed = OperationView(Phase.FAILED, "Job shop/migrate failed", "c1", "2026-11-23T10:00:00Z")
    last = max(installation.rows, key=lambda row: row.id)
    installation.state.save_status(replace(last, sync=SyncStatus.OUT_OF_SYNC, operation=failed))
    lines = cli("app", "list").out.splitlines()
    assert lines[0].split()[-1] == "REASON"
    listed = [line for line in lines if "Job shop/migrate failed" in line]
    assert [line.split()[0] for line in listed] == [last.id]
    found = installation.state.query(StatusQuery(failing=True, limit=500))
    assert names(cli("app", "list", "--failing", "-o", "name")) == sorted(row.id for row in found.rows)
    assert {line.split()[0] for line in lines[1 : 1 + found.total]} == {row.id for row in found.rows}
    outcome = json.loads(cli("app", "list", "--outcome", "failed", "-o", "json").out)
    assert {item["operation"]["phase"] for item in outcome} == {"Failed"}


def test_suspended_finds_what_the_table_calls_so(installation: Installation, cli: Cli) -> None:
    row = installation.rows[3]
    installation.state.save_status(replace(row, suspended=True))
    table = cli("app", "list").out.splitlines()[1:]
    shown = sorted(line.split()[0] for line in table if line.split()[2] == "Suspended")
    assert row.id in shown
    for word in ("suspended", "Suspended", "SUSPENDED"):
        assert names(cli("app", "list", "--health", word, "-o", "name")) == shown


def test_remarks_of_the_catalogue_are_told_beside_the_table_and_never_in_the_answer(
    installation: Installation, cli: Cli
) -> None:
    line = "apps.yaml:3: kind: Rollout has no effect here"
    installation.state.save(raw("catalogue"), "remarks", {"lines": [line], "total": 7})
    answer = cli("app", "list")
    assert "The catalogue has 7 remarks." in answer.err
    assert line in answer.err
    assert line not in answer.out
    assert cli("app", "list", "-o", "json").err == ""


def test_one_application_comes_with_objects_history_and_sources(installation: Installation, cli: Cli) -> None:
    row = installation.rows[0]
    found = json.loads(cli("app", "get", row.id, "-o", "json").out)
    assert found["id"] == row.id
    assert [item["kind"] for item in found["resources"]][:3] == ["Namespace", "ConfigMap", "Service"]
    assert found["resources"][0].keys() == {
        "group", "version", "kind", "namespace", "name", "status", "health", "message", "syncWave",
    }  # fmt: skip
    assert [item["id"] for item in found["history"]] == [7, 6, 5, 4, 3, 2, 1]
    assert found["history"][0].keys() >= {"id", "revision", "deployedAt", "initiatedBy", "outcome"}
    assert found["sources"] == [{"repoURL": row.repository, "path": row.path}]


def test_a_unique_bare_name_is_as_good_as_an_id(installation: Installation, cli: Cli) -> None:
    row = installation.rows[0]
    for name in (row.id.rpartition("/")[2], row.id.partition("/")[2]):
        assert cli("app", "get", name, "-o", "name").out.strip() == row.id


def test_an_ambiguous_name_is_bad_usage_and_an_unknown_one_fails(installation: Installation, cli: Cli) -> None:
    row = installation.rows[0]
    name = row.id.rpartition("/")[2]
    other = replace(installation.rows[1], id=f"kustomization/flux-system/{name}")
    installation.state.save_status(other)
    for each in (row, other):
        installation.enroll(each)
    answer = cli("app", "get", name)
    assert answer.code == 2
    assert row.id in answer.err
    assert other.id in answer.err
    unknown = cli("app", "get", name[:-1])
    assert unknown.code == 1
    assert "do you mean" in unknown.err
    assert other.id in unknown.err


def test_an_application_shows_what_it_depends_on(installation: Installation, cli: Cli) -> None:
    first, second = installation.rows[0].id, installation.rows[1].id
    waiting = replace(application(first), depends_on=(Dependency(second),))
    installation.state.save_applications([waiting])
    assert f"Depends on:   {second}\n" in cli("app", "get", first).out
    assert json.loads(cli("app", "get", first, "-o", "json").out)["dependsOn"] == [second]


def test_history_lists_the_newest_first(installation: Installation, cli: Cli) -> None:
    lines = cli("app", "history", installation.rows[0].id).out.splitlines()
    assert [line.split()[0] for line in lines] == ["ID", "7", "6", "5", "4", "3", "2", "1"]


def test_a_diff_is_shown_and_exits_with_1(installation: Installation, cli: Cli) -> None:
    answer = cli("app", "diff", installation.rows[0].id)
    assert answer.code == 1
    assert "+          image: registry.example.com/checkout/api:2.14.0" in answer.out


def test_no_difference_exits_with_0_and_an_unknown_state_does_not(installation: Installation, cli: Cli) -> None:
    row = installation.rows[1]
    installation.state.save_resources(row.id, [ResourceView("", "v1", "Service", "x", "y", WELL, None)])
    installation.state.save_status(replace(row, sync=WELL))
    assert cli("app", "diff", row.id).code == 0
    installation.state.save_status(replace(row, sync=SyncStatus.UNKNOWN, message="the repository does not answer"))
    answer = cli("app", "diff", row.id)
    assert answer.code == 1
    assert "does not answer" in answer.out


def test_an_object_that_left_git_is_a_difference(installation: Installation, cli: Cli) -> None:
    row = installation.rows[1]
    stale = ResourceView("", "v1", "Service", "x", "y", SyncStatus.OUT_OF_SYNC, None, "No longer in Git.")
    installation.state.save_resources(row.id, [stale])
    answer = cli("app", "diff", row.id)
    assert answer.code == 1
    assert "Service x/y: No longer in Git." in answer.out


def test_clusters_repositories_and_events_are_listed(installation: Installation, cli: Cli) -> None:
    assert names(cli("cluster", "list", "-o", "name"))[:2] == ["edge-oslo", "prod-eu-1"]
    cluster = json.loads(cli("cluster", "get", "prod-eu-1", "-o", "json").out)
    assert cluster["server"].startswith("https://prod-eu-1.")
    assert cli("cluster", "get", "prod-eu").code == 1
    repositories = json.loads(cli("repo", "list", "-o", "json").out)
    assert sum(item["applications"] for item in repositories) == len(installation.rows)
    events = json.loads(cli("events", installation.rows[0].id, "-o", "json").out)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert len(events) == 6


def test_hostile_text_in_a_status_cannot_steer_the_terminal(installation: Installation, cli: Cli) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jgone\r\u202e"
    installation.state.save_status(replace(installation.rows[1], message=evil, path=evil, health_message=evil))
    for arguments in (("app", "list", "-o", "wide"), ("app", "get", installation.rows[1].id)):
        text = cli(*arguments).out
        assert not [char for char in text if char != "\n" and not char.isprintable()]
