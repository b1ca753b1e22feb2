"""What an Argo CD Application says about its own end: finalizers, the sync option Delete, an approval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from gitops_workers.core.prune.deletion_request import Cascade, Deleting
from gitops_workers.core.sync.options import by_name
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.messages import shown
from gitops_workers.dialects.metadata import Metadata

APPROVED = "argocd.argoproj.io/deletion-approved"
_RESOURCES = "resources-finalizer.argocd.argoproj.io"
_CASCADES = {
    _RESOURCES: Cascade.FOREGROUND,
    f"{_RESOURCES}/foreground": Cascade.FOREGROUND,
    f"{_RESOURCES}/background": Cascade.BACKGROUND,
}
_HOOKS = re.compile(r"(pre|post)-delete-finalizer\.argocd\.argoproj\.io(/.*)?")


def deleting(reading: ParseContext, metadata: Metadata, options: Sequence[str]) -> Deleting:
    """The policy. `options` are the application's sync options."""
    cascade = Cascade.ORPHAN
    for index, name in enumerate(metadata.finalizers):
        place = ("metadata", "finalizers", index)
        if name in _CASCADES:
            # The first one counts, as in Argo CD.
            cascade = _CASCADES[name] if cascade is Cascade.ORPHAN else cascade
        elif "argocd.argoproj.io" in name and _HOOKS.fullmatch(name):
            continue  # Argo CD's own bookkeeping: what hooks there are is seen in what is rendered
        elif "argocd.argoproj.io" in name:
            reading.remark(place, f"found {shown(name)}, known are {', '.join(_CASCADES)}: it has no effect.")
    return Deleting(cascade, waits=True, option=_option(options), approved_at=_approved_at(reading, metadata))


def _option(options: Sequence[str]) -> str:
    """The value of `Delete=`; what is wrong with it the sync policy says."""
    return by_name(options).get("Delete", "").replace("true", "")


def _approved_at(reading: ParseContext, metadata: Metadata) -> float:
    text = metadata.annotations.get(APPROVED)
    if text is None:
        return 0.0
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError  # noqa: TRY301 - a time without its zone is no time
        return moment.timestamp()
    except (OverflowError, ValueError):
        place = ("metadata", "annotations", APPROVED)
        reading.remark(place, f"found {shown(text)}, allowed is a time such as 2026-01-31T12:00:00Z: it has no effect.")
        return 0.0
