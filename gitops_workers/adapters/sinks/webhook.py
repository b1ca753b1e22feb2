"""An event sink that posts each event as JSON to one URL."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import orjson

from gitops_workers.core.errors import InvalidManifest, Refused, Retry
from gitops_workers.core.status.rows import Event

TIMEOUT = 5.0
"""Seconds for connecting, and for each read of the answer."""
RETRIED = frozenset({408, 409, 425, 429})
"""Statuses of the 400s with which a receiver asks to be told again later, or which a proxy in between gives."""

_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class WebhookSink:
    """Posts the JSON of `Event.to_json`; the header `Idempotency-Key` is the event's id, for deduplication.

    The URL is the operator's and may hold a token: no error repeats it.
    """

    def __init__(self, target: str) -> None:
        """`target`: an `https` URL, or an `http` one of this machine. Raises InvalidManifest."""
        try:
            parts = urlsplit(target)
            _ = parts.port  # reading it checks it
        except ValueError:
            parts = urlsplit("")
        local = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise InvalidManifest(
                "GITOPS_EVENT_SINKS: webhook needs an https URL: webhook=https://HOST/PATH (http on this machine only)."
            )
        if parts.username is not None or parts.password is not None:
            raise InvalidManifest(
                "GITOPS_EVENT_SINKS: the URL of webhook may not hold a user; put a token in its path."
            )
        self._url = target
        # Without redirects: they would take the event, and the token in the path, to a host that nobody named.
        proxies = urllib.request.ProxyHandler({} if local else None)
        self._opener = urllib.request.build_opener(_Stay, proxies)

    def deliver(self, event: Event) -> None:
        """See port."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": event.id, "User-Agent": "gitops-workers"}
        request = urllib.request.Request(self._url, orjson.dumps(event.to_json()), headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=TIMEOUT):
                return
        except urllib.error.HTTPError as answer:
            status = answer.code
            answer.close()
        except OSError as error:
            raise Retry(f"the webhook's receiver does not answer ({type(error).__name__}); it is tried again") from None
        if 400 <= status < 500 and status not in RETRIED:
            raise Refused(f"the webhook's receiver answered {status}; look at the URL and at what it takes")
        raise Retry(f"the webhook's receiver answered {status}; it is tried again")


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the answer stands as it is."""
