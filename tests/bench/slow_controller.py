"""Plays the Deployment controller: each Deployment is ready so many seconds after it was written.

`python -m tests.bench.slow_controller URL TOKEN CA-FILE SECONDS`, until it is killed. In a process of its own, so that
it takes no time from what is measured but the API server's.
"""

from __future__ import annotations

import heapq
import json
import ssl
import sys
import threading
import time
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

DEPLOYMENTS = "/apis/apps/v1/deployments"


class Controller:
    """One watch, and one connection that writes statuses."""

    def __init__(self, url: str, token: str, ca_file: str, seconds: float) -> None:
        self._place = urlsplit(url)
        self._context = ssl.create_default_context(cafile=ca_file)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._seconds = seconds
        self._due: list[tuple[float, str, int, int]] = []
        self._lock = threading.Lock()

    def run(self) -> None:
        """Watch and answer forever."""
        threading.Thread(target=self._watch, daemon=True).start()
        connection = self._connect()
        while True:
            with self._lock:
                ready = bool(self._due) and self._due[0][0] <= time.monotonic()
                item = heapq.heappop(self._due) if ready else None
            if item is None:
                time.sleep(0.02)
                continue
            self._report(connection, *item[1:])

    def _watch(self) -> None:
        connection = self._connect()
        connection.request("GET", f"{DEPLOYMENTS}?watch=1", headers=self._headers)
        for line in connection.getresponse():
            event = json.loads(line)
            live = event["object"]
            metadata = live.get("metadata", {})
            seen = live.get("status", {}).get("observedGeneration")
            if event["type"] not in ("ADDED", "MODIFIED") or seen == metadata.get("generation"):
                continue
            path = f"/apis/apps/v1/namespaces/{metadata['namespace']}/deployments/{metadata['name']}"
            with self._lock:
                at = time.monotonic() + self._seconds
                heapq.heappush(self._due, (at, path, metadata["generation"], live["spec"].get("replicas", 1)))

    def _report(self, connection: HTTPConnection, path: str, generation: int, replicas: int) -> None:
        counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
        body = json.dumps({"status": {"observedGeneration": generation, **counts}})
        headers = {**self._headers, "Content-Type": "application/merge-patch+json"}
        connection.request("PATCH", f"{path}/status", body, headers)
        connection.getresponse().read()

    def _connect(self) -> HTTPConnection:
        return HTTPSConnection(str(self._place.hostname), self._place.port, context=self._context)


if __name__ == "__main__":
    Controller(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])).run()
