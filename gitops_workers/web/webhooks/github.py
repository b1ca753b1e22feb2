"""GitHub (and GitHub Enterprise): push events, signed `X-Hub-Signature-256`.

The older SHA-1 signature is not looked at: GitHub has sent both since 2020.
"""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Headers, Ignored, PushEvent
from gitops_workers.web.webhooks.payload import files_of, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_hmac


def matches(headers: Headers) -> bool:
    """Whether GitHub, or something that imitates it, sent this."""
    return "x-github-event" in headers


def read(headers: Headers, body: bytes, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    check_hmac(headers, "x-hub-signature-256", body, secret, allowed=("sha256",))
    payload = parse_payload(headers, body)
    event = headers["x-github-event"].lower()
    if event != "push":
        return Ignored(f"GitHub event {event[:40]} moves no ref; only push events cause work")
    urls = [text(payload, "repository", key) for key in ("html_url", "clone_url", "ssh_url")]
    return push(urls, [text(payload, "ref")], text(payload, "repository", "default_branch"), files_of(payload))
