"""Bitbucket Server and Data Center: `repo:refs_changed`, signed `X-Hub-Signature: sha256=`."""

from __future__ import annotations

from gitops_workers.web.webhooks.event import Body, Headers, Ignored, PushEvent, unlisted
from gitops_workers.web.webhooks.payload import items, parse_payload, push, text
from gitops_workers.web.webhooks.signature import check_hmac, signature_in


def matches(headers: Headers) -> bool:
    """Whether Bitbucket Server sent this; Cloud sends the same header beside its own and is asked first."""
    return "x-event-key" in headers


def admit(headers: Headers, secret: bytes) -> Ignored | None:  # noqa: ARG001 - the body is signed with it
    """Refuse what no body can make good."""
    event = headers["x-event-key"].lower()
    if event == "diagnostics:ping":
        # The connection test of the settings page is not signed, and nothing is done for it (Argo CD 3.5).
        return Ignored("Bitbucket's connection test; whether the secret is right shows with the first push")
    if event != "repo:refs_changed":
        raise unlisted("Bitbucket", headers["x-event-key"], ("repo:refs_changed",))
    signature_in(headers, "x-hub-signature", ("sha256",))
    return None


def read(headers: Headers, body: Body, secret: bytes) -> PushEvent | Ignored:
    """Verify and read one event."""
    check_hmac(headers, "x-hub-signature", body, secret, allowed=("sha256",))
    payload = parse_payload(headers, body)
    links = [*items(payload, "repository", "links", "clone"), *items(payload, "repository", "links", "self")]
    refs = [text(change, "ref", "id") or text(change, "refId") for change in items(payload, "changes")]
    # The page of a repository ends in `/browse`; its clone address does not.
    return push([text(link, "href").removesuffix("/browse") for link in links], refs)
