"""Gogs, and Gitea and Forgejo, which speak the same payload under their own header names."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.web.webhooks.event import Headers, Ignored, PushEvent, Read
from gitops_workers.web.webhooks.payload import files_of, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_plain_hmac


def matcher(product: str) -> Callable[[Headers], bool]:
    """Whether this product sent it. Each of them also sends GitHub's header, and Gitea that of Gogs."""
    header = f"x-{product}-event"
    return lambda headers: header in headers


def reader(product: str) -> Read:
    """Read one product's events, signed in hexadecimal without a prefix."""

    def read(headers: Headers, body: bytes, secret: bytes) -> PushEvent | Ignored:
        check_plain_hmac(headers, f"x-{product}-signature", body, secret)
        payload = parse_payload(headers, body)
        event = headers[f"x-{product}-event"].lower()
        if event != "push":
            return Ignored(f"{product.capitalize()} event {event[:40]} moves no ref; only push events cause work")
        urls = [text(payload, "repository", key) for key in ("html_url", "clone_url", "ssh_url")]
        return push(urls, [text(payload, "ref")], text(payload, "repository", "default_branch"), files_of(payload))

    return read
