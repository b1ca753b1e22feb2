"""Bitbucket Server and Data Center: `repo:refs_changed`, signed `X-Hub-Signature: sha256=`."""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Headers, Ignored, PushEvent
from gitops_workers.web.webhooks.payload import items, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_hmac


def matches(headers: Headers) -> bool:
    """Whether Bitbucket Server sent this; Cloud sends the same header beside its own and is asked first."""
    return "x-event-key" in headers


def read(headers: Headers, body: bytes, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    check_hmac(headers, "x-hub-signature", body, secret, allowed=("sha256",))
    event = headers["x-event-key"].lower()
    # The connection test of its settings page has a body that is no event.
    if event == "diagnostics:ping":
        return Ignored("Bitbucket's connection test: the secret is right")
    payload = parse_payload(headers, body)
    if event != "repo:refs_changed":
        return Ignored(f"Bitbucket event {event[:40]} moves no ref; only repo:refs_changed causes work")
    links = [*items(payload, "repository", "links", "clone"), *items(payload, "repository", "links", "self")]
    refs = [text(change, "ref", "id") or text(change, "refId") for change in items(payload, "changes")]
    # The page of a repository ends in `/browse`; its clone address does not.
    return push([text(link, "href").removesuffix("/browse") for link in links], refs)
