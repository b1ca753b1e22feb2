"""Azure DevOps service hooks: `git.push`, with HTTP basic authentication; the secret is `user:password`."""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Body, Headers, Ignored, PushEvent, unlisted
from gitops_workers.web.webhooks.payload import items, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_basic


def matches(headers: Headers) -> bool:
    """Whether Azure DevOps sent this."""
    return "x-vss-activityid" in headers


def admit(headers: Headers, secret: bytes) -> Ignored | None:
    """Check the login; which event it is stands in the body."""
    check_basic(headers, secret)
    return None


def read(headers: Headers, body: Body, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    check_basic(headers, secret)
    payload = parse_payload(headers, body)
    event = text(payload, "eventType")
    if event != "git.push":
        raise unlisted("Azure DevOps", event, ("git.push",))
    refs = [text(update, "name") for update in items(payload, "resource", "refUpdates")]
    branch = text(payload, "resource", "repository", "defaultBranch").removeprefix("refs/heads/")
    return push([text(payload, "resource", "repository", "remoteUrl")], refs, branch)
