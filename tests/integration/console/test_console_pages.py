"""The pages of a real Flower process, as a browser gets them."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from gitops_workers.core.model import Condition, HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import Event, OperationView, ResourceView
from gitops_workers.core.sync.dependencies import Dependency
from tests.documents import raw
from tests.fleet import application, fleet


def names(page: str) -> list[str]:
    """The applications that a listing links to."""
    return [html.unescape(name) for name in re.findall(r'<td class="gitops-name">\s*<a [^>]*>([^<]*)</a>', page)]


def links(page: str) -> list[str]:
    return [html.unescape(link) for link in re.findall(r'(?:href|src)="([^"]*)"', page)]


def test_the_listing_shows_fifty_of_all_with_totals(console, rows):
    status, page = console.get("/applications")
    assert status == 200
    assert len(names(page)) == 50
    assert "1\N{EN DASH}50 of 1,200" in page
    assert re.search(r'All\s*<span class="gitops-count">1,200</span>', page)
    assert re.search(r'<time datetime="[^"]+" title="[^"]+ UTC">[^<]+ ago</time>', page)


def test_all_applications_are_on_exactly_one_page(console, rows):
    seen = [name for number in range(1, 25) for name in names(console.get(f"/applications?page={number}")[1])]
    assert sorted(seen) == sorted(row.id.rpartition("/")[2] for row in rows)


def test_a_page_beyond_the_last_is_the_last(console, rows):
    assert "1,151\N{EN DASH}1,200 of 1,200" in console.get("/applications?page=999")[1]


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        ("text=checkout-api-prod", lambda row: "checkout-api-prod" in row.id),
        ("health=Degraded", lambda row: row.health == "Degraded"),
        ("sync=Unknown&cluster=edge-oslo&project=search", lambda row: (row.sync, row.project) == ("Unknown", "search")),
    ],
)
def test_filters_narrow_the_listing(console, state, rows, filters, fits):
    fitting = {row.id.rpartition("/")[2] for row in [state.status(row.id) for row in rows] if fits(row)}
    shown = set(names(console.get(f"/applications?{filters}")[1]))
    assert shown
    assert shown <= fitting
    assert len(shown) == min(50, len(fitting))


def test_every_link_of_every_page_leads_somewhere(console, rows):
    application = f"/application/{rows[0].id}"
    seen = {link for page in ("/applications", application, "/clusters") for link in links(console.get(page)[1])}
    ours = {link for link in seen if link.startswith("/") and "/static/" not in link}
    assert any("gitops-static" in link for link in ours)
    assert {link: console.get(link)[0] for link in ours} == dict.fromkeys(ours, 200)


def test_an_application_shows_objects_difference_history_events_and_the_command(console, rows):
    page = console.get(f"/application/{rows[0].id}")[1]
    for text in (
        "main moved to a commit that changes one object",
        "SharedResourceWarning",
        "+          image: registry.example.com/checkout/api:2.14.0",
        "networking.k8s.io",
        "OperationStarted",
        "write-1",
        f"gitops-workers app sync {rows[0].id}",
        'href="https://git.example.com/checkout/deploy.git"',
    ):
        assert text in page
    assert "<form" not in page


def test_one_application_says_why_nothing_happens_and_what_each_stage_was(console, state, rows):
    row = replace(rows[3], sync=SyncStatus.OUT_OF_SYNC, suspended=False, message="ConfigMap a; automated sync is off.")
    facts = {"commit": "c" * 40, "inputs": "1" * 64, "files": 3, "inputs_before": "2" * 64, "changes": 1}
    state.save_status(replace(row, cluster="prod-eu-1"))
    state.save(raw("explanation"), row.id, {**facts, "changed": ["~ deploy/app.yaml"]})
    page = console.get(f"/application/{row.id}")[1]
    assert re.search(r"<dt>Why nothing happens now</dt><dd>ConfigMap a; automated sync is off.</dd>", page)
    assert "<dt>Inputs</dt>" in page
    assert "<div>~ deploy/app.yaml</div>" in page


def test_the_listing_begins_with_trouble_and_its_reason_hides_behind_no_health(console, state, rows):
    # The last by name: only its trouble can bring it to the front.
    row = max(rows, key=lambda one: one.id)
    failed = OperationView(Phase.FAILED, "PreSync hook Job shop/migrate failed", row.revision, "2026-11-23T10:00:00Z")
    missing = {"health": HealthStatus.MISSING, "health_message": "none of the objects exists"}
    state.save_status(replace(row, sync=SyncStatus.OUT_OF_SYNC, suspended=False, operation=failed, **missing))
    state.save(raw("catalogue"), "remarks", {"lines": ["apps.yaml:3: kind: it has no effect <here>"], "total": 7})
    try:
        name = row.id.rpartition("/")[2]
        pages = {query: console.get(f"/applications{query}")[1] for query in ("", "?failing=1", "?outcome=Failed")}
        assert name in names(pages[""])[:20]
        assert name in names(pages["?failing=1"])
        assert name in names(pages["?outcome=Failed"])
        reasons = re.findall(r'<span class="gitops-reason-danger"[^>]*>([^<]*)</span>', pages["?failing=1"])
        assert failed.message in reasons
        assert len(reasons) == len(names(pages["?failing=1"]))
        assert "none of the objects exists" not in pages[""]
        assert "The catalogue has 7 remarks." in pages[""]
        assert "it has no effect &lt;here&gt;" in pages[""]
        assert f'<dd class="gitops-reason-danger">{failed.message}</dd>' in console.get(f"/application/{row.id}")[1]
    finally:
        state.save_status(row)
        state.discard(raw("catalogue"), "remarks")


def test_an_unknown_application_is_404(console):
    status, page = console.get("/application/application/argocd/absent")
    assert status == 404
    assert "no such application" in page
    assert "&lt;b&gt;" in console.get("/application/%3Cb%3E")[1]


def test_an_application_shows_what_it_depends_on(console, state, rows):
    waiting = replace(application(rows[6].id), depends_on=(Dependency(rows[7].id),))
    state.save_applications([waiting])
    try:
        page = console.get(f"/application/{waiting.id}")[1]
        assert re.search(rf"<dt>Depends on</dt><dd>{rows[7].id}</dd>", page)
    finally:
        state.delete_application(waiting.id)
        state.save_status(rows[6])


def test_an_application_is_found_by_its_bare_name_where_that_is_unique(console, state, rows):
    row = rows[5]
    name, twin = row.id.rpartition("/")[2], f"application/other/{row.id.rpartition('/')[2]}"
    state.save_applications([application(row.id)])
    try:
        status, page = console.get(f"/application/{name}")
        assert (status, f"gitops-workers app sync {row.id}" in page) == (200, True)
        status, page = console.get(f"/application/{name}x")
        assert status == 404
        assert f"do you mean {row.id}?" in page
        state.save_applications([application(twin)])
        status, page = console.get(f"/application/{name}")
        assert status == 409
        assert f"write one of {', '.join(sorted((row.id, twin)))}" in page
    finally:
        for app in (row.id, twin):
            state.delete_application(app)
        state.save_status(row)


def test_clusters_show_who_is_unreachable(console, rows):
    page = console.get("/clusters")[1]
    assert page.count("Reachable") == 5
    assert "connection timed out; one probe a minute" in page
    assert '/applications?cluster=edge-oslo">200</a>' in page


def test_clusters_show_how_many_workers_serve_them_and_since_when_nobody_does(console, telemetry, worker):
    assert "no worker of fleet" not in console.get("/clusters")[1]
    telemetry.leave(worker)
    try:
        page = console.get("/clusters")[1]
        assert page.count("No worker<") == 6
        assert "no worker of fleet edge since 2" in page
        assert "no worker of fleet default since 2" in page
    finally:
        telemetry.report(worker, {})


def test_flowers_own_pages_carry_our_tabs_and_keep_their_own(console):
    for path in ("/", "/workers", "/tasks", "/broker"):
        status, page = console.get(path)
        assert status == 200
        tabs = re.findall(r'<a class="nav-link[^"]*"\s*href="([^"]*)"', page)
        assert tabs[:5] == ["/applications", "/clusters", "/workers", "/tasks", "/broker"]


def test_below_a_prefix_everything_stays_below_it(start, rows):
    with start("--url_prefix=ops", prefix="/ops") as console:
        for path in ("/applications", f"/application/{rows[0].id}", "/clusters", "/workers"):
            status, page = console.get(path)
            assert status == 200
            ours = [link for link in links(page) if link.startswith("/")]
            assert ours
            assert all(link.startswith("/ops/") for link in ours)
        assert console.get("/gitops-static/gitops.css")[0] == 200
        assert "/ops/applications" in console.child.tail(50)


def test_hostile_texts_are_shown_and_never_run(console, state):
    """T12: in every place that somebody else fills."""
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b]8;;x\u202eend"
    base = next(fleet(1))
    row = replace(
        base,
        id=f"application/argocd/{evil.replace('/', '-')}",
        project=evil,
        namespace=evil,
        path=evil,
        repository="javascript:alert(1)",
        revision=evil,
        ref=evil,
        health_message=evil,
        message=evil,
        conditions=(Condition(evil, evil),),
        operation=replace(base.operation, message=evil, initiated_by=evil, started_at=evil, finished_at=evil),
    )
    state.save_status(row)
    view = ResourceView(evil, "v1", evil, evil, evil, row.sync, row.health, evil, 0, f"+{evil}\n-{evil}")
    state.save_resources(row.id, [view])
    state.save(
        raw("explanation"), row.id, {"commit": evil, "ref": evil, "reasons": [evil], "prune": evil, "stages": [evil]}
    )
    state.add_events([Event(evil, row.id, evil, evil, evil)])
    try:
        listing = console.get("/applications?text=alert")[1]
        link = next(link for link in links(listing) if link.startswith("/application/"))
        status, page = console.get(link)
        searched = console.get("/applications?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&cluster=%22onload=x")[1]
    finally:
        state.delete_application(row.id)
    assert status == 200
    for text in (listing, page, searched):
        assert "<script>alert" not in text
        assert "<img" not in text.replace('<img src="/static', "")
        assert 'href="javascript' not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "&lt;script&gt;alert(1)&lt;" in page


def test_an_outage_of_the_store_is_said_in_the_page_and_passes(console, redis):
    redis.child.freeze()
    try:
        status, page = console.get("/applications")
    finally:
        redis.child.thaw()
    assert status == 503
    assert "state store does not answer" in page
    assert console.get("/applications")[0] == 200


def test_a_browser_draws_the_listing(console, rows, browser, tmp_path):
    picture = tmp_path / "applications.png"
    browser(f"{console.url}/applications?sort=sync", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_listing_refreshes_itself_in_the_browser(console, rows, browser_dom):
    """After ten seconds of the browser's own time the page has been exchanged, and its clock with it."""
    before = re.search(r'id="gitops-refreshed">([^<]*)<', browser_dom(f"{console.url}/applications", 0))
    after = browser_dom(f"{console.url}/applications", 25_000)
    assert before is not None
    assert "status-dot-live" in after
    assert "status-dot-error" not in after
    assert len(names(after)) == 50


@pytest.fixture
def chromium() -> str:
    """A browser, where there is one: the pages are tested without it too."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no chromium on PATH")
    assert found, "install chromium"
    return found


@pytest.fixture
def browser(chromium, tmp_path):
    def shoot(url: str, picture: Path) -> None:
        _run(
            chromium, tmp_path, url, f"--screenshot={picture}", "--window-size=1500,1000", "--virtual-time-budget=3000"
        )

    return shoot


@pytest.fixture
def browser_dom(chromium, tmp_path):
    def dump(url: str, milliseconds: int) -> str:
        return _run(chromium, tmp_path, url, "--dump-dom", f"--virtual-time-budget={milliseconds + 1_000}")

    return dump


def _run(chromium: str, folder: Path, url: str, *options: str) -> str:
    fixed = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        f"--user-data-dir={folder / 'profile'}",
    )
    done = subprocess.run([chromium, *fixed, *options, url], capture_output=True, text=True, timeout=90, check=True)
    return done.stdout


def test_failed_tasks_show_their_outcome_and_ids_become_links(start, redis, rows, browser_dom):
    app = Celery(broker=redis.broker_url)
    well, ill = rows[0].id, rows[1].id
    ends: dict[str, tuple[str, str, dict[str, Any]]] = {
        "one": (well, "task-succeeded", {"result": repr(f"Synced {well}"), "runtime": 0.1}),
        "two": (ill, "task-failed", {"exception": f"Failed('Failed {ill}')", "traceback": ""}),
    }
    with start() as console, app.connection_for_write() as connection:

        def told() -> dict[str, dict[str, Any]]:
            with app.events.Dispatcher(connection, hostname="one@host") as dispatcher:
                for uuid, (name, kind, fields) in ends.items():
                    dispatcher.send(
                        "task-received", uuid=uuid, name="gitops.reconcile", args=f"('{name}', 1)", kwargs="{}"
                    )
                    dispatcher.send(kind, uuid=uuid, **fields)
            _, text = console.get("/tasks/datatable?draw=1&start=0&length=50&order[0][column]=0&order[0][dir]=asc")
            return {row["uuid"]: row for row in json.loads(text)["data"]}

        deadline = time.monotonic() + 30
        while not ends.keys() <= (found := told()).keys():
            assert time.monotonic() < deadline, found
        assert (found["one"]["state"], found["one"]["result"]) == ("SUCCESS", repr(f"Synced {well}"))
        assert (found["two"]["state"], found["two"]["result"]) == ("FAILURE", f"Failed('Failed {ill}')")
        for path in ("/tasks", "/task/two"):
            page = console.get(path)[1]
            script = re.search(r'src="([^"]*gitops-links\.js[^"]*)"', page)
            assert script, page
            assert console.get(script[1])[0] == 200
        # The columns are Flower's; the link is ours, in the list and on the task's own page.
        link = f'<a href="/application/{ill}">{ill}</a>'
        assert link in browser_dom(f"{console.url}/tasks", 3_000)
        assert link in browser_dom(f"{console.url}/task/two", 3_000)
