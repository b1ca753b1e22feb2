"""Flux Receivers: the webhook addresses of the catalogue, stored for the web processes."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import (
    RECEIVER,
    RECEIVERS,
)
from gitops_workers.core.documents.polls import StoredReceiver
from gitops_workers.core.model import AppId, Application
from gitops_workers.core.scheduling.poll_groups import repository_group
from gitops_workers.dialects import Parsed
from gitops_workers.pipeline.catalogue import external_inputs
from gitops_workers.pipeline.context import Context

log = structlog.get_logger()


def save(context: Context, parsed: Parsed, apps: Mapping[AppId, Application]) -> None:
    """Webhook addresses by the hash in their path. The token makes the hash and is not stored (see web.receivers)."""
    found = {}
    for receiver in parsed.receivers:
        path = external_inputs.address(context, receiver.secret, receiver.name, receiver.namespace)
        if not path:
            log.warning("receiver_without_token", namespace=receiver.namespace, name=receiver.name)
            continue
        groups = {repository_group(apps[app]) for app in receiver.applications if app in apps}
        found[path.rpartition("/")[2]] = StoredReceiver(
            receiver.namespace,
            receiver.name,
            receiver.type,
            (receiver.secret.kind, receiver.secret.namespace, receiver.secret.name),
            tuple(receiver.events),
            tuple(sorted(groups)),
            receiver.suspended,
        )
    receivers = context.state.load(RECEIVERS, WHOLE)
    for path in set(receivers or ()) - set(found):
        context.state.discard(RECEIVER, path)
    context.state.save_many(RECEIVER, found)
    context.state.save(RECEIVERS, WHOLE, tuple(sorted(found)))
