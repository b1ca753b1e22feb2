"""Gogs, and Gitea and Forgejo, which speak the same payload under their own header names."""

from __future__ import annotations

from collections.abc import Callable

from gitops_workers.web.webhooks.event import Admit, Body, Headers, Ignored, PushEvent, Read, unlisted
from gitops_workers.web.webhooks.payload import parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_plain_hmac, plain_signature_in


def matcher(product: str) -> Callable[[Headers], bool]:
    """Whether this product sent it. Each of them also sends GitHub's header, and Gitea that of Gogs."""
    header = f"x-{product}-event"
    return lambda headers: header in headers


def admitter(product: str) -> Admit:
    """Refuse what no body can make good."""

    def admit(headers: Headers, secret: bytes) -> Ignored | None:  # noqa: ARG001 - the body is signed with it
        if headers[f"x-{product}-event"].lower() != "push":
            raise unlisted(product.capitalize(), headers[f"x-{product}-event"], ("push",))
        plain_signature_in(headers, f"x-{product}-signature")
        return None

    return admit


def reader(product: str) -> Read:
    """Read one product's events, signed in hexadecimal without a prefix."""

    def read(headers: Headers, body: Body, secret: bytes) -> PushEvent | Ignored:
        check_plain_hmac(headers, f"x-{product}-signature", body, secret)
        payload = parse_payload(headers, body)
        urls = [text(payload, "repository", key) for key in ("html_url", "clone_url", "ssh_url")]
        return push(urls, [text(payload, "ref")], text(payload, "repository", "default_branch"))

    return read
