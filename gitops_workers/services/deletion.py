"""Delete: confirming, hurrying or giving up the deletion of an application whose manifest is gone."""

from __future__ import annotations

from gitops_workers.core.errors import Refused
from gitops_workers.core.prune import deletion
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.services.changes import Backend, Caller, Change, audit_of, audited
from gitops_workers.services.lookup import declared, find
from gitops_workers.services.suspension import OVERRIDE


def delete(backend: Backend, caller: Caller, name: str, cascade: Cascade | None = None) -> Change:
    """Delete an application that has left the catalogue. `cascade` is the manifest's choice where it is None.

    A suspension by hand ends with it, for it would hold the deletion back. Raises Refused for an application that is
    declared: the catalogue would bring it back.
    """
    status = find(backend.state, name, caller.projects)
    audit = audit_of(backend, caller, status.id, "delete", f"cascade {cascade}" if cascade else "")
    with audited(backend, audit):
        app = declared(backend.state, status.id)
        if reason := deletion.reject_reason(app):
            raise Refused(reason)
    return Change(
        app.id, {deletion.DELETE_REQUEST: deletion.to_document(app, cascade, caller.name), OVERRIDE: None}, audit
    )
