"""GitLab: push, tag push and system hooks; `X-Gitlab-Token` carries the secret itself."""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Headers, Ignored, PushEvent
from gitops_workers.web.webhooks.payload import files_of, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_token

_PUSHES = frozenset({"push hook", "tag push hook", "push", "tag_push", "repository_update"})


def matches(headers: Headers) -> bool:
    """Whether GitLab sent this."""
    return "x-gitlab-event" in headers


def read(headers: Headers, body: bytes, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event; a system hook says in its body what it is about."""
    check_token(headers, "x-gitlab-token", secret)
    payload = parse_payload(headers, body)
    event = headers["x-gitlab-event"].lower()
    if event == "system hook":
        event = text(payload, "event_name") or text(payload, "object_kind")
    if event not in _PUSHES:
        return Ignored(f"GitLab event {event[:40]} moves no ref; only push and tag push events cause work")
    urls = [text(payload, "project", key) for key in ("web_url", "git_http_url", "git_ssh_url", "http_url", "ssh_url")]
    return push(urls, [text(payload, "ref")], text(payload, "project", "default_branch"), files_of(payload))
