"""Flux Receivers: `POST /hook/<SHA-256 of token + name + namespace>` (Flux 2.9, notification-controller).

The catalogue refresh saves one document `receiver/<hash>` per Receiver, without its token; the token is read when a
request comes. The payload is looked at for nothing but its proof: which resources are meant is written in the Receiver.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gitops_workers.core.documents.kinds import RECEIVER
from gitops_workers.core.documents.polls import StoredReceiver
from gitops_workers.core.source.receiver_address import hook_hash
from gitops_workers.ports import Secrets, State
from gitops_workers.web.webhooks.event import Body, Headers, Rejected
from gitops_workers.web.webhooks.signature import check_hmac, check_token


@dataclass(frozen=True, slots=True)
class _Type:
    """How a receiver type proves itself, and the header that says which event it is."""

    verify: Callable[[Headers, Body, bytes], None]
    event_header: str = ""
    reads: bool = True
    """Whether the proof is of the body."""


def _anybody(_headers: Headers, _body: Body, _token: bytes) -> None:
    """Knowing the path is the proof of type `generic`."""


def _signed(*names: str) -> Callable[[Headers, Body, bytes], None]:
    """The first of the headers that is there, in any algorithm that Flux takes (go-github, ValidateSignature)."""

    def verify(headers: Headers, body: Body, token: bytes) -> None:
        header = next((name for name in names if headers.get(name)), names[0])
        check_hmac(headers, header, body, token, allowed=("sha1", "sha256", "sha512"))

    return verify


def _payload(headers: Headers, body: Body, token: bytes) -> None:
    """GitHub's and Bitbucket's requests, as go-github reads them (ValidatePayload)."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/x-www-form-urlencoded"):
        raise Rejected("the content type is neither application/json nor a form's; choose application/json there")
    _signed("x-hub-signature-256", "x-hub-signature")(headers, body, token)


def _token(headers: Headers, _body: Body, token: bytes) -> None:
    check_token(headers, "x-gitlab-token", token)


TYPES: Mapping[str, _Type] = {
    "generic": _Type(_anybody, reads=False),
    "generic-hmac": _Type(_signed("x-signature")),
    "github": _Type(_payload, "x-github-event"),
    "gitlab": _Type(_token, "x-gitlab-event", reads=False),
    "bitbucket": _Type(_payload, "x-event-key"),
}


def find(state: State, secrets: Secrets | None, path_hash: str) -> tuple[StoredReceiver, bytes]:
    """The Receiver of a path and its token as it is now; Rejected (404) alike for every way of not being there."""
    unknown = Rejected("there is no Receiver at this path; compare it with status.webhookPath", 404)
    receiver = state.load(RECEIVER, path_hash) if secrets is not None else None
    if receiver is None or secrets is None:
        raise unknown
    token = (secrets.read(receiver.secret) or {}).get("token", b"")
    # The token may have been changed since the refresh: the old path is dead at once.
    if not token or not hmac.compare_digest(hook_hash(token, receiver.name, receiver.namespace), path_hash):
        raise unknown
    return receiver, token


def reads_body(receiver: StoredReceiver) -> bool:
    """Whether the body is part of the proof. Raises Rejected for a Receiver that takes nothing now (Flux 2.9: 503)."""
    if receiver.suspended:
        raise Rejected("the Receiver is suspended; it takes requests again when spec.suspend is false", 503)
    if receiver.type not in TYPES:
        raise Rejected(f"Receiver type {receiver.type} is not served; served are {', '.join(sorted(TYPES))}")
    return TYPES[receiver.type].reads


def verify(receiver: StoredReceiver, headers: Headers, body: Body, token: bytes) -> None:
    """Check a request's proof and its event. Raises Rejected, with the status that Flux answers."""
    reads_body(receiver)
    kind = TYPES[receiver.type]
    kind.verify(headers, body, token)
    event = headers.get(kind.event_header, "") if kind.event_header else ""
    if receiver.events and kind.event_header and event.lower() not in {name.lower() for name in receiver.events}:
        raise Rejected(f"the Receiver does not list the event {event[:40]!r}; list it in spec.events")
