"""Whether the cluster agrees with Git, from the server's own answer.

A server-side dry-run returns the object as it would be after our apply, with defaults, conversions and admission
applied by the only program that knows them. Agreement means: nothing but bookkeeping differs between that and the
live object. So there is no list of defaulting rules here that could go stale.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_workers.core.diff.desired import Desired
from gitops_workers.core.diff.field_manager_migration import Migration
from gitops_workers.core.diff.ignoring import Ignored
from gitops_workers.core.objects import Manifest
from gitops_workers.core.text.json_path import without

COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
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
    beside: Manifest | None = field(default=None, repr=False, compare=False)
    """The live object as it was compared, where something in it is left alone; else None."""
    payload: Manifest | None = field(default=None, repr=False, compare=False)
    """What is applied instead of the desired object, where ignored fields stay as they are in the cluster."""
    absorption: Migration | None = field(default=None, repr=False, compare=False)
    """What changes hands before the apply."""
    left_alone: str = ""
    """The object's own mark by which it is not written, whatever differs (core.options); else ""."""

    @property
    def in_sync(self) -> bool:
        """Nothing to write."""
        return bool(self.left_alone) or (self.exists and not self.differs)


def ignores_extraneous(live: Manifest) -> bool:
    """Whether a live object that is not in Git says that this is no difference (Argo CD compare-options)."""
    annotations = (live.get("metadata") or {}).get("annotations") or {}
    return "IgnoreExtraneous" in [word.strip() for word in str(annotations.get(COMPARE_OPTIONS) or "").split(",")]


def meaningful(manifest: Manifest) -> Manifest:
    """The manifest without status and bookkeeping: what a difference may be about."""
    metadata = {name: value for name, value in (manifest.get("metadata") or {}).items() if name not in BOOKKEEPING}
    return {name: value for name, value in manifest.items() if name != "status"} | {"metadata": metadata}


def compared(
    desired: Desired,
    live: Manifest | None,
    would_be: Manifest,
    *,
    left_alone: Ignored | None = None,
    absorbed: Migration | None = None,
    payload: Manifest | None = None,
) -> Compared:
    """The comparison of one object after its dry-run (with `payload` where one is given).

    What is absorbed is gone on the side of Git; what is left alone is gone on both.
    """
    if live is None:
        return Compared(desired, exists=False, differs=True, would_be=would_be)
    metadata = live.get("metadata") or {}
    target = without(would_be, absorbed.excess) if absorbed else would_be
    beside = live
    if left_alone is not None:
        beside, target = without(live, left_alone.live), without(target, left_alone.would_be)
    return Compared(
        desired,
        exists=True,
        differs=meaningful(beside) != meaningful(target),
        uid=metadata.get("uid", ""),
        resource_version=metadata.get("resourceVersion", ""),
        live=live,
        would_be=target,
        beside=beside if left_alone is not None else None,
        payload=payload,
        absorption=absorbed,
    )
