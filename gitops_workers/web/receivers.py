"""Flux Receivers: `POST /hook/<SHA-256 of token + name + namespace>` (Flux 2.9, notification-controller).

The catalogue refresh saves one document `receiver/<hash>` per Receiver, without its token; the token is read when a
request comes. The payload is looked at for nothing but its proof: which resources are meant is written in the Receiver.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.receiver_address import hook_hash
from gitops_workers.core.render_spec import SecretRef
from gitops_workers.ports import Secrets, State
from gitops_workers.web.webhooks.event import Headers, Ignored, Rejected
from gitops_workers.web.webhooks.signature import check_hmac, check_token


@dataclass(frozen=True, slots=True)
class StoredReceiver:
    """A Receiver as the refresh saved it; `groups` are the poll groups of its resources."""

    namespace: str
    name: str
    type: str
    token: SecretRef
    events: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    suspended: bool = False

    def to_json(self) -> dict[str, Any]:
        """The document `receiver/<hash>`."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "type": self.type,
            "token": [self.token.kind, self.token.namespace, self.token.name],
            "events": list(self.events),
            "groups": list(self.groups),
            "suspended": self.suspended,
        }


def from_json(document: Mapping[str, Any]) -> StoredReceiver:
    """Read what `to_json` wrote."""
    kind, namespace, name = document["token"]
    return StoredReceiver(
        document["namespace"],
        document["name"],
        document["type"],
        SecretRef(kind, namespace, name),
        tuple(document["events"]),
        tuple(document["groups"]),
        document["suspended"],
    )


@dataclass(frozen=True, slots=True)
class _Type:
    """How a receiver type proves itself, and the header that says which event it is."""

    verify: Callable[[Headers, bytes, bytes], None]
    event_header: str = ""


def _anybody(_headers: Headers, _body: bytes, _token: bytes) -> None:
    """Knowing the path is the proof of type `generic`."""


def _signed(header: str, *algorithms: str) -> Callable[[Headers, bytes, bytes], None]:
    return lambda headers, body, token: check_hmac(headers, header, body, token, allowed=algorithms)


TYPES: Mapping[str, _Type] = {
    "generic": _Type(_anybody),
    "generic-hmac": _Type(_signed("x-signature", "sha1", "sha256", "sha512")),
    "github": _Type(_signed("x-hub-signature-256", "sha256"), "x-github-event"),
    "gitlab": _Type(lambda headers, _body, token: check_token(headers, "x-gitlab-token", token), "x-gitlab-event"),
    "bitbucket": _Type(_signed("x-hub-signature", "sha256"), "x-event-key"),
}


def find(state: State, secrets: Secrets | None, path_hash: str) -> tuple[StoredReceiver, bytes]:
    """The Receiver of a path and its token as it is now; Rejected (404) alike for every way of not being there."""
    unknown = Rejected("there is no Receiver at this path; compare it with status.webhookPath", 404)
    document = state.load("receiver", path_hash) if secrets is not None else None
    if document is None or secrets is None:
        raise unknown
    receiver = from_json(document)
    token = (secrets.read(receiver.token) or {}).get("token", b"")
    # The token may have been changed since the refresh: the old path is dead at once.
    if not token or not hmac.compare_digest(hook_hash(token, receiver.name, receiver.namespace), path_hash):
        raise unknown
    return receiver, token


def verify(receiver: StoredReceiver, headers: Headers, body: bytes, token: bytes) -> Ignored | None:
    """Check a request's proof and its event; None when the Receiver's resources are to be polled."""
    kind = TYPES.get(receiver.type)
    if kind is None:
        raise Rejected(f"Receiver type {receiver.type} is not served; served are {', '.join(sorted(TYPES))}", 403)
    if receiver.suspended:
        return Ignored("the Receiver is suspended")
    kind.verify(headers, body, token)
    event = headers.get(kind.event_header, "") if kind.event_header else ""
    if receiver.events and kind.event_header and event.lower() not in {name.lower() for name in receiver.events}:
        return Ignored(f"the Receiver does not list the event {event[:40]}")
    return None
