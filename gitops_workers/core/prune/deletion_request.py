"""What becomes of the objects when an application's manifest leaves the catalogue.

Argo CD: the finalizer `resources-finalizer.argocd.argoproj.io` orders a cascade, without it the objects stay (3.5 docs,
app deletion). Flux: `spec.deletionPolicy`, where MirrorPrune deletes what `prune` would (kustomize-controller 1.9).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Cascade(enum.StrEnum):
    """How the objects go. Foreground waits for their dependants (Kubernetes, garbage collection)."""

    ORPHAN = "orphan"
    FOREGROUND = "foreground"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Deleting:
    """What the manifest says about its own end."""

    cascade: Cascade = Cascade.ORPHAN
    waits: bool = False
    """The application stays until every object is really gone (Argo CD always, Flux' WaitForTermination)."""
    timeout: float = 0.0
    """Seconds to wait for that at most; 0 means forever (Argo CD)."""
    option: str = ""
    """Argo CD's sync option `Delete` of the application, for objects that name none: "", `false` or `confirm`."""
    approved_at: float = 0.0
    """When a human agreed to the deletes that ask for it (`argocd.argoproj.io/deletion-approved`), epoch s."""


class HoldReason(enum.StrEnum):
    """Why a deletion does not begin although the manifest is gone."""

    NOT = ""
    UNREADABLE = "unreadable"
    """The catalogue has errors: the manifest may stand in what cannot be read."""
    MASS = "mass"
    """Too many applications left at once for it to be meant."""
    SUSPENDED = "suspended"
    """Argo CD's skip-reconcile leaves the application alone in its deletion, too."""


@dataclass(frozen=True, slots=True)
class DeletionRequest:
    """The manifest is gone: what shall happen now. Also the mark in the record, by which a deletion survives Redis."""

    since: float
    """When the manifest was found to be gone, epoch s. It tells this wish from an earlier one."""
    policy: Deleting
    held: HoldReason = HoldReason.NOT
    by: str = ""
    """The user who confirmed it, "" where no confirmation is needed."""
    consent: bool = False
    """A human agreed, so objects that ask for a confirmation (`Delete=confirm`) go too."""
    resumed: bool = False
    """Known from the record alone, after Redis was emptied: without the mark there is nothing to do."""
