"""Bitbucket Cloud: `repo:push`.

The hook's UUID is the secret, as in Argo CD; a request that is signed is held to its signature.
"""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Headers, Ignored, PushEvent
from gitops_workers.web.webhooks.payload import items, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_hmac, check_token


def matches(headers: Headers) -> bool:
    """Whether Bitbucket Cloud sent this."""
    return "x-hook-uuid" in headers


def read(headers: Headers, body: bytes, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    if "x-hub-signature" in headers:
        check_hmac(headers, "x-hub-signature", body, secret, allowed=("sha256",))
    else:
        check_token(headers, "x-hook-uuid", secret)
    payload = parse_payload(headers, body)
    event = headers.get("x-event-key", "").lower()
    if event != "repo:push":
        return Ignored(f"Bitbucket event {event[:40]} moves no ref; only repo:push causes work")
    urls = [text(payload, "repository", "links", "html", "href")]
    if name := text(payload, "repository", "full_name"):
        urls.append(f"https://bitbucket.org/{name}")
    # A deleted branch has no `new`; it moved all the same.
    changes = items(payload, "push", "changes")
    refs = [text(change, "new", "name") or text(change, "old", "name") for change in changes]
    return push(urls, refs, text(payload, "repository", "mainbranch", "name"))
