"""What a task's event says of its outcome: a word and an id, FAILURE for an application in trouble, nothing secret."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gitops_workers.app import build
from tests.integration.engine.installation import Installation, config_map

CANARY = "kanarie-outcome-3f0a"


@contextmanager
def task_events(site: Installation) -> Iterator[list[dict[str, Any]]]:
    """The task events of all workers while the block lasts."""
    app, found, ended = build(site.engine.settings), list[dict[str, Any]](), threading.Event()

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": found.append})
            while not ended.is_set():
                for _ in receiver.itercapture(limit=None, timeout=0.5, wakeup=False):
                    if ended.is_set():
                        return

    def patient() -> None:
        while not ended.is_set():
            try:
                listen()
            except TimeoutError:
                continue

    thread = threading.Thread(target=patient, daemon=True)
    thread.start()
    try:
        site.until(lambda: _enabled(app), "workers that send events")
        yield found
    finally:
        ended.set()
        thread.join(5)
        app.control.disable_events()
        app.close()


def _enabled(app: Any) -> bool:
    return bool(app.control.enable_events(reply=True, timeout=1))


def outcomes(events: list[dict[str, Any]], app: str) -> set[tuple[str, str]]:
    """The type and what it says, of every event that ends a task for this application."""
    return {
        (event["type"], str(event.get("result") or event.get("exception")))
        for event in list(events)
        if event["type"] in ("task-succeeded", "task-failed") and app in str(event)
    }


def test_a_task_ends_as_its_application_does(story):
    site, shop = story.site, story.site.repository("outcomes.git")
    wrong = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: wrong}}\nstringData: {{v: [{CANARY}]}}\n"
    shop.push({"well/a.yaml": config_map("well"), "ill/a.yaml": wrong})
    well, ill = site.app("well"), site.app("ill")
    with task_events(site) as events:
        site.declare("outcomes.yaml", site.argo("well", shop.url, "well"), site.argo("ill", shop.url, "ill"))
        site.until(lambda: ("task-succeeded", f"'Synced {well}'") in outcomes(events, well), "a task that succeeds")
        site.until(lambda: ("task-failed", f"Failed('Failed {ill}')") in outcomes(events, ill), "a task that fails")
        assert not any(kind == "task-failed" for kind, _ in outcomes(events, well))
        assert not any(kind == "task-succeeded" and "Skipped" not in said for kind, said in outcomes(events, ill))
        assert CANARY not in str(events)
        assert not any("kanarie" in str(event) for event in events)
