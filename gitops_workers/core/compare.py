"""Whether the cluster agrees with Git, from the server's own answer.

A server-side dry-run returns the object as it would be after our apply, with defaults, conversions and admission
applied by the only program that knows them. Agreement means: nothing but bookkeeping differs between that and the
live object. So there is no list of defaulting rules here that could go stale.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_workers.core.desired import Desired
from gitops_workers.core.objects import Manifest

BOOKKEEPING = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})


@dataclass(frozen=True, slots=True)
class Compared:
    """One desired object beside the live one. `live` is None when it does not exist (or was not looked at)."""

    desired: Desired
    exists: bool
    differs: bool
    uid: str = ""
    resource_version: str = ""
    live: Manifest | None = field(default=None, repr=False, compare=False)
    would_be: Manifest | None = field(default=None, repr=False, compare=False)

    @property
    def in_sync(self) -> bool:
        """Nothing to write."""
        return self.exists and not self.differs


def meaningful(manifest: Manifest) -> Manifest:
    """The manifest without status and bookkeeping: what a difference may be about."""
    metadata = {name: value for name, value in (manifest.get("metadata") or {}).items() if name not in BOOKKEEPING}
    return {name: value for name, value in manifest.items() if name != "status"} | {"metadata": metadata}


def compared(desired: Desired, live: Manifest | None, would_be: Manifest) -> Compared:
    """The comparison of one object after its dry-run."""
    if live is None:
        return Compared(desired, exists=False, differs=True, would_be=would_be)
    metadata = live.get("metadata") or {}
    return Compared(
        desired,
        exists=True,
        differs=meaningful(live) != meaningful(would_be),
        uid=metadata.get("uid", ""),
        resource_version=metadata.get("resourceVersion", ""),
        live=live,
        would_be=would_be,
    )
