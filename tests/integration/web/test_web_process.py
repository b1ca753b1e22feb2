"""The web application as it runs: uvicorn in front, Redis behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import orjson

from gitops_workers.core.status.rows import Event
from tests.documents import raw
from tests.fleet import application, fill
from tests.web_world import READ, WRITE, bearer
from tests.webhook_requests import github

APPLICATIONS = "/api/v1/applications"


def test_a_push_is_due_and_rung_when_it_is_answered(site):
    site.queue.enroll_poll("repository/one", "//git.example.com", 500.0)
    site.state.save(raw("repository"), "github.com/org/app", ["repository/one"])
    headers, body = github()
    answer = httpx.post(f"{site.url}/api/webhook", content=body, headers=headers)
    assert answer.json() == {"accepted": True, "polls": 1}
    assert [bell.id for bell in site.published] == ["repository/one"]
    attempt = site.queue.begin_poll("repository/one", 30.0)
    assert attempt is not None
    assert attempt.not_before > 0


def test_the_api_pages_through_a_fleet_on_redis(site):
    rows = fill(site.state, 300)
    with httpx.Client(base_url=site.url, headers=bearer(READ)) as client:
        seen, cursor = [], ""
        while cursor is not None:
            page = client.get(APPLICATIONS, params={"cursor": cursor, "limit": 90, "sort": "health"}).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["cursor"]
        assert sorted(seen) == sorted(row.id for row in rows)
        assert client.get(f"{APPLICATIONS}/{rows[0].id}").json()["history"]
        assert 'argocd_app_info{autosync_enabled="false"' in client.get("/metrics").text


def test_a_sync_reaches_the_queue(site):
    row = fill(site.state, 1)[0]
    site.state.save_applications([application(row.id)])
    site.queue.enroll(row.id, row.cluster, "eu")
    answer = httpx.post(f"{site.url}{APPLICATIONS}/{row.id}/sync", json={"prune": True}, headers=bearer(WRITE))
    assert answer.status_code == 202
    assert [(bell.task, bell.queue) for bell in site.published] == [("reconcile", "fleet.eu")]
    assert site.state.load(raw("request"), row.id)["prune"] is True


def test_events_are_streamed_as_they_happen_and_what_was_missed_is_told_to_who_returns(site):
    def event(number: int) -> Event:
        return Event(f"2026-11-23T10:00:0{number}Z", "application/argocd/a", "Normal", "R", str(number))

    site.state.add_events([event(1), event(2)])
    names, messages = [], []
    with httpx.stream("GET", f"{site.url}/api/v1/events", headers=bearer(READ), timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("id: "):
                names.append(line[4:])
            if line.startswith("data: "):
                messages.append(orjson.loads(line[6:])["message"])
                if messages == ["1", "2"]:
                    site.state.add_events([event(3)])
            if messages == ["1", "2", "3"]:
                break
    returned = bearer(READ) | {"Last-Event-ID": names[0]}
    with httpx.stream("GET", f"{site.url}/api/v1/events", headers=returned, timeout=20) as answer:
        missed = []
        for line in answer.iter_lines():
            if line.startswith("data: "):
                missed.append(orjson.loads(line[6:])["message"])
            if len(missed) == 2:
                break
    assert missed == ["2", "3"]


def test_a_redis_that_does_not_answer_is_503_and_then_well_again(site):
    site.redis.child.freeze()
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{site.url}/readyz", timeout=60).status_code), daemon=True
    )
    asking.start()
    try:
        # The process itself still answers while it waits.
        assert httpx.get(f"{site.url}/healthz").status_code == 200
        asking.join(60)
    finally:
        site.redis.child.thaw()
    assert answers == [503]
    assert httpx.get(f"{site.url}/readyz").status_code == 200


def test_the_process_imports_no_kubernetes_client():
    program = (
        "import sys; import gitops_workers.web.app, gitops_workers.web.serve, gitops_workers.wiring.stores;"
        "print([name for name in sys.modules if name.partition('.')[0] in ('kubernetes', 'git', 'aiohttp')])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
