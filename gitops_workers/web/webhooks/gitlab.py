"""GitLab: push, tag push and system hooks; `X-Gitlab-Token` carries the secret itself."""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Body, Headers, Ignored, PushEvent, unlisted
from gitops_workers.web.webhooks.payload import parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_token

_SYSTEM = "system hook"
_EVENTS = ("Push Hook", "Tag Push Hook", "System Hook")
_LISTED = frozenset(name.lower() for name in _EVENTS)
_PUSHES = frozenset({"push", "tag_push", "repository_update"})
_OTHERS = frozenset({"merge_request"})
"""System hooks that Argo CD takes and does nothing for."""


def matches(headers: Headers) -> bool:
    """Whether GitLab sent this."""
    return "x-gitlab-event" in headers


def admit(headers: Headers, secret: bytes) -> Ignored | None:
    """Check everything that stands in the headers."""
    check_token(headers, "x-gitlab-token", secret)
    if headers["x-gitlab-event"].lower() not in _LISTED:
        raise unlisted("GitLab", headers["x-gitlab-event"], _EVENTS)
    return None


def read(headers: Headers, body: Body, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event; a system hook says in its body what it is about."""
    check_token(headers, "x-gitlab-token", secret)
    payload = parse_payload(headers, body)
    if headers["x-gitlab-event"].lower() == _SYSTEM:
        event = text(payload, "event_name") or text(payload, "object_kind")
        if event in _OTHERS:
            return Ignored(f"GitLab's system hook {event} moves no ref")
        if event not in _PUSHES:
            raise unlisted("GitLab system", event, ("repository_update", "push", "tag_push"))
    urls = [text(payload, "project", key) for key in ("web_url", "git_http_url", "git_ssh_url", "http_url", "ssh_url")]
    return push(urls, [text(payload, "ref")], text(payload, "project", "default_branch"))
