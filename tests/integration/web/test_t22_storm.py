"""T22: ten thousand genuine pushes are one poll per repository, on a bounded queue."""

from __future__ import annotations

import http.client
import threading
from collections import Counter

from tests.documents import raw
from tests.webhook_requests import github

REPOSITORIES = 20
PUSHES = 10_000
CLIENTS = 8


def test_ten_thousand_pushes_collapse(site):
    bodies = []
    for number in range(REPOSITORIES):
        group = f"repository/{number}"
        site.queue.enroll_poll(group, f"//git-{number}.example.com", 500.0)  # no host is full
        site.state.save(raw("repository"), f"github.com/org/app{number}", [group])
        bodies.append(github(repository={"html_url": f"https://github.com/org/app{number}"}))
    answers: Counter[int] = Counter()
    counting = threading.Lock()

    def push(first: int) -> None:
        # http.client, because httpx would be most of the work here.
        client = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        for number in range(first, PUSHES, CLIENTS):
            headers, body = bodies[number % REPOSITORIES]
            client.request("POST", "/api/webhook", body, headers)
            answer = client.getresponse()
            answer.read()
            with counting:
                answers[answer.status] += 1
        client.close()

    threads = [threading.Thread(target=push, args=(first,)) for first in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {200: PUSHES}
    # Nobody answered a doorbell meanwhile, so each repository rang once, and again only if that stayed unanswered.
    rung = Counter(bell.id for bell in site.published)
    assert set(rung) == {f"repository/{number}" for number in range(REPOSITORIES)}
    assert max(rung.values()) <= 2
    for number in range(REPOSITORIES):
        attempt = site.queue.begin_poll(f"repository/{number}", 30.0)
        assert attempt is not None
        site.queue.finish_poll(attempt, 500.0)
    # Everything was asked before these polls began, so nothing is left to do.
    assert not site.queue.dispatch(1_000)
