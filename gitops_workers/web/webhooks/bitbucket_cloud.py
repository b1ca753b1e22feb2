"""Bitbucket Cloud: `repo:push`.

The hook's UUID is the secret, as in Argo CD; a request that is signed is held to its signature.
"""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Body, Headers, Ignored, PushEvent, unlisted
from gitops_workers.web.webhooks.payload import items, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_hmac, check_token, signature_in


def matches(headers: Headers) -> bool:
    """Whether Bitbucket Cloud sent this."""
    return "x-hook-uuid" in headers


def admit(headers: Headers, secret: bytes) -> Ignored | None:
    """Check everything that stands in the headers."""
    if "x-hub-signature" in headers:
        signature_in(headers, "x-hub-signature", ("sha256",))
    else:
        check_token(headers, "x-hook-uuid", secret)
    event = headers.get("x-event-key", "")
    if event.lower() != "repo:push":
        raise unlisted("Bitbucket", event, ("repo:push",))
    return None


def read(headers: Headers, body: Body, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    if "x-hub-signature" in headers:
        check_hmac(headers, "x-hub-signature", body, secret, allowed=("sha256",))
    else:
        check_token(headers, "x-hook-uuid", secret)
    payload = parse_payload(headers, body)
    urls = [text(payload, "repository", "links", "html", "href")]
    if name := text(payload, "repository", "full_name"):
        urls.append(f"https://bitbucket.org/{name}")
    # A deleted branch has no `new`; it moved all the same.
    changes = items(payload, "push", "changes")
    refs = [text(change, "new", "name") or text(change, "old", "name") for change in changes]
    return push(urls, refs, text(payload, "repository", "mainbranch", "name"))
