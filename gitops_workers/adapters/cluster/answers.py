"""What an API server's refusal means for the caller: one of our errors, with what to do.

Read off a kube-apiserver 1.37, not from its manual: an unknown field of a server-side apply is a 500 there, a missing
webhook server too, and neither says anything about the cluster's health, so neither may open its circuit breaker. Any
other 5xx may come from one object alone (a conversion, an aggregated API, a slow admission): it is ServerFailed, and
whoever counts outages asks for something else first.
A body that is no Kubernetes `Status` is dropped: it is a proxy's page, and may hold anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from gitops_workers.adapters.cluster.connection import Answer
from gitops_workers.core.errors import (
    ApplyRefused,
    ClusterUnavailable,
    GitOpsError,
    InvalidObject,
    Retry,
    ServerFailed,
    Throttled,
)
from gitops_workers.core.text.redact import scrub

MESSAGE_CHARACTERS = 512
"""Of the server's own words: a validation error of a whole pod template is thousands, and ends up in every status."""
DEFAULT_WAIT = 1.0
"""Seconds after a 429 without Retry-After; API servers send 1."""

_OURS_TO_FIX = "failed to "
"""How messages about a manifest's content begin: "failed to create typed patch object", "failed to convert new object".
They carry no reason, unlike everything that the API machinery classified."""
_SERVERS_STORE = ("etcdserver:", "rpc error:", "context deadline exceeded", "leader changed")
_AGGREGATED = (b"service unavailable", b"error trying to reach service")


def status_of(answer: Answer) -> Mapping[str, Any]:
    """The answer's `Status` object, empty when its body is anything else."""
    if not answer.body.startswith(b"{"):
        return {}
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) and document.get("kind") == "Status" else {}


def details_of(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `details` of a Status, empty where there are none."""
    details = status.get("details")
    return details if isinstance(details, dict) else {}


def no_such_endpoint(answer: Answer) -> bool:
    """Whether a 404 is about the path, not about an object: the kind or its version is not served (any more)."""
    return answer.status == 404 and not details_of(status_of(answer)).get("name")


def absent(answer: Answer, name: str, *, namespace: bool = False) -> bool:
    """Whether the server says that just this object does not exist; `namespace` when a Namespace was asked for.

    An object in a namespace that does not exist gets the same answer about that namespace, which may have its name.
    """
    details = details_of(status_of(answer))
    return answer.status == 404 and details.get("name") == name and (details.get("kind") == "namespaces") is namespace


def error_of(answer: Answer, cluster: str, subject: str, *, secret: bool = False) -> GitOpsError:
    """The error an answer of 300 or more stands for.

    `cluster` and `subject` begin the message; `secret` keeps the server's words out, which may quote a value.
    """
    status = status_of(answer)
    words = _words(status, secret=secret)
    where = f"{subject} in {cluster}"
    match answer.status:
        case 401:
            return ClusterUnavailable(
                f"{cluster} refuses our credential (401): it has expired or was revoked; renew it"
            )
        case 403 if "system:anonymous" in str(status.get("message")):
            return ClusterUnavailable(
                f"{cluster} takes our requests as anonymous: no credential is set for it; add one"
            )
        case 403 if _caused_by(status, "NamespaceTerminating"):
            return Retry(f"{where} has to wait: its namespace is being deleted")
        case 403:
            return ApplyRefused(f"{where} is forbidden: {words}; grant it to our user there, or change the object")
        case 404 if details_of(status).get("kind") == "namespaces":
            name = details_of(status).get("name")
            return ApplyRefused(
                f"{where} has no namespace {name}: create it, or set the sync option CreateNamespace=true"
            )
        case 404:
            return ApplyRefused(f"{where} was not found: {words}; the kind may be gone, or the name is wrong")
        case 409:
            return Retry(f"{where} was changed at the same time: {words}")
        case 408:
            return ServerFailed(f"{where} was not answered in the server's own time (408): it is overloaded")
        case 429:
            return Throttled(f"{cluster} asks us to wait (429)", answer.retry_after or DEFAULT_WAIT)
        case 422:
            # What a field that keeps its value is called differs by kind and release: no word is looked for.
            return InvalidObject(
                f"{where} was refused (422): {words}; mend the manifest or, where a field cannot be changed, let the "
                "object be created anew (Force=true, spec.force, `app sync --force`)"
            )
        case code if code < 500:
            return ApplyRefused(f"{where} was refused ({code}): {words}")
        case 503 if answer.retry_after is not None:
            return Throttled(f"{cluster} asks us to wait (503)", answer.retry_after)
        case _:
            return _server_error(answer, status, cluster, where, words)


def _server_error(answer: Answer, status: Mapping[str, Any], cluster: str, where: str, words: str) -> GitOpsError:
    message = str(status.get("message", ""))
    store = any(word in message for word in _SERVERS_STORE)
    if answer.status == 500 and message.startswith(_OURS_TO_FIX) and not status.get("reason") and not store:
        return InvalidObject(f"{where} does not fit its schema: {words}")
    if answer.status == 500 and "webhook" in message:
        return Retry(f"{where} was not admitted: {words}; look at the webhook's own service")
    if answer.status == 503 and answer.body.startswith(_AGGREGATED):
        return Retry(
            f"{where} cannot be reached: the server behind this API group does not answer; look at its APIService"
        )
    if store:
        return ClusterUnavailable(f"{cluster} answered {answer.status}: {words}")
    return ServerFailed(f"{where} was answered with {answer.status}: {words}")


def _caused_by(status: Mapping[str, Any], reason: str) -> bool:
    causes = details_of(status).get("causes") or ()
    return any(isinstance(cause, dict) and cause.get("reason") == reason for cause in causes)


def _words(status: Mapping[str, Any], *, secret: bool) -> str:
    """The server's own words, cleaned and cut."""
    if not status:
        return "the answer is no Kubernetes Status"
    if secret:
        # `Invalid value: "..."` quotes what is wrong, so of a Secret only the fields are named.
        causes = details_of(status).get("causes") or ()
        fields = sorted({str(cause.get("field", "")) for cause in causes if isinstance(cause, dict)} - {""})
        reason = str(status.get("reason") or "refused")
        return f"{reason}{' at ' + ', '.join(fields) if fields else ''} (the rest may quote the Secret)"[
            :MESSAGE_CHARACTERS
        ]
    text = scrub(str(status.get("message") or status.get("reason") or "no reason given"))
    return text if len(text) <= MESSAGE_CHARACTERS else text[: MESSAGE_CHARACTERS - 3] + "..."
