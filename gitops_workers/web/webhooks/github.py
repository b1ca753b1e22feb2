"""GitHub (and GitHub Enterprise): push events, signed `X-Hub-Signature-256`.

The older SHA-1 signature is not looked at: GitHub has sent both since 2020.
"""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Body, Headers, Ignored, PushEvent, unlisted
from gitops_workers.web.webhooks.payload import parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_hmac, signature_in

_SIGNATURE, _ALGORITHMS = "x-hub-signature-256", ("sha256",)
_EVENTS = ("push", "ping")


def matches(headers: Headers) -> bool:
    """Whether GitHub, or something that imitates it, sent this."""
    return "x-github-event" in headers


def admit(headers: Headers, secret: bytes) -> Ignored | None:  # noqa: ARG001 - the body is signed with it
    """Refuse what no body can make good."""
    if headers["x-github-event"].lower() not in _EVENTS:
        raise unlisted("GitHub", headers["x-github-event"], _EVENTS)
    signature_in(headers, _SIGNATURE, _ALGORITHMS)
    return None


def read(headers: Headers, body: Body, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    check_hmac(headers, _SIGNATURE, body, secret, allowed=_ALGORITHMS)
    payload = parse_payload(headers, body)
    if headers["x-github-event"].lower() == "ping":
        return Ignored("GitHub's ping: the secret is right")
    urls = [text(payload, "repository", key) for key in ("html_url", "clone_url", "ssh_url")]
    return push(urls, [text(payload, "ref")], text(payload, "repository", "default_branch"))
