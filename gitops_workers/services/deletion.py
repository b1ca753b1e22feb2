"""Delete: confirming, hurrying or giving up the deletion of an application whose manifest is gone."""

from __future__ import annotations

from gitops_workers.core.documents.kinds import DELETION_ORDER, OVERRIDE
from gitops_workers.core.errors import Refused
from gitops_workers.core.prune import deletion
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.services.changes import Backend, Caller, Change, planning


def delete(backend: Backend, caller: Caller, name: str, cascade: Cascade | None = None) -> Change:
    """Delete an application that has left the catalogue. `cascade` is the manifest's choice where it is None.

    A suspension by hand ends with it, for it would hold the deletion back. Raises Refused for an application that is
    declared: the catalogue would bring it back.
    """
    details = f"cascade {cascade}" if cascade else ""
    with planning(backend, caller, name, "delete", details) as (_, app, audit):
        if reason := deletion.reject_reason(app):
            raise Refused(reason)
    return Change(app.id, {DELETION_ORDER: deletion.to_document(app, cascade, caller.name), OVERRIDE: None}, audit)
