"""Fields that kubectl or the engine before us owns become ours, so that they go when Git does not have them.

Server-side apply takes nothing away from other managers. An object that was once applied with kubectl, or edited, would
keep those fields forever. Flux merges the entries of kubectl's managers into its own before it applies (flux.md 1.5);
Argo CD does so for `kubectl-client-side-apply` alone (argocd.md 1.1, ClientSideApplyMigration), and additions by
`kubectl edit` are no difference to it. Our own replaces (Replace=true) leave such an entry, too: they are updates.

The managers that the dialect's own engine applies with count as ourselves: what they own came from Git, and the engine
itself would remove it once Git has dropped it. The other dialect's are strangers: a Flux application may well patch
what Argo CD applies. Nothing else of Argo CD is taken: `argocd-server` is people who asked for a restart in its pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.diff import managed_fields
from gitops_workers.core.diff.managed_fields import MANAGER, FieldPath
from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest
from gitops_workers.core.text.json_path import Place

LAST_APPLIED: Final = "f:kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Migration:
    """What changes hands. `fields` are the object's managedFields afterwards; `excess` goes with the next apply."""

    fields: tuple[dict[str, Any], ...] = field(repr=False)
    excess: tuple[Place, ...]


def migration(dialect: Dialect, live: Manifest, would_be: Manifest, *, kubectl: bool = True) -> Migration | None:
    """What has to change hands before an apply; None when nothing would stay behind.

    `would_be` is the answer to our dry-run: its managedFields say what would be ours and what would stay theirs.
    Without `kubectl` its fields are left to it; those of the engine before us are ours in any case.
    """
    found = managed_fields.entries(would_be)
    foreign = [entry for entry in found if _absorbed(dialect, entry, str(would_be.get("apiVersion")), kubectl=kubectl)]
    renamed = _renamed(live)
    if not foreign and not renamed:
        return None
    ours = [entry for entry in found if _is_ours(entry)]
    others = [entry for entry in found if entry not in foreign and entry not in ours]
    excess = (
        (managed_fields.field_paths(foreign) | renamed)
        - managed_fields.field_paths(ours)
        - managed_fields.field_paths(others)
    )
    excess = frozenset(trail for trail in excess if not _bookkeeping(trail))
    if not excess:
        return None
    return Migration(_handed_over(dialect, live, kubectl=kubectl), tuple(managed_fields.places(excess, would_be)))


def _renamed(live: Manifest) -> frozenset[FieldPath]:
    """What we own under a name that the server does not store: the next apply gives it up and takes nothing away."""
    raw = (live.get("metadata") or {}).get("managedFields") or []
    ours = [entry for entry in raw if isinstance(entry, dict) and _is_ours(entry)]
    texts = [managed_fields.as_stored(live, entry) for entry in ours if managed_fields.owns_texts(live, entry)]
    return managed_fields.field_paths(texts)


def ownership(
    dialect: Dialect, live: Manifest, *, kubectl: bool = True
) -> tuple[frozenset[FieldPath], frozenset[FieldPath]]:
    """What is ours in a live object, with what we absorb, and what is others', with all of subresources (scale)."""
    raw = (live.get("metadata") or {}).get("managedFields") or []
    version = str(live.get("apiVersion"))
    found = [managed_fields.as_stored(live, entry) for entry in raw if isinstance(entry, dict)]
    ours = [
        entry
        for entry in found
        if not entry.get("subresource") and (_is_ours(entry) or _absorbed(dialect, entry, version, kubectl=kubectl))
    ]
    return managed_fields.field_paths(ours), managed_fields.field_paths(entry for entry in found if entry not in ours)


def after_replace(dialect: Dialect, live: Manifest) -> tuple[dict[str, Any], ...]:
    """The managedFields of an object that we have just replaced, with our update made an apply; () if there is none."""
    version = str(live.get("apiVersion"))
    if not any(_is_our_update(entry, version) for entry in managed_fields.entries(live)):
        return ()
    return _handed_over(dialect, live, kubectl=False)


def _handed_over(dialect: Dialect, live: Manifest, *, kubectl: bool) -> tuple[dict[str, Any], ...]:
    """All entries of the live object, with the absorbed ones merged into ours."""
    everything = (live.get("metadata") or {}).get("managedFields") or []
    version = str(live.get("apiVersion"))
    taken = [
        item
        for item in everything
        if not item.get("subresource") and _absorbed(dialect, item, version, kubectl=kubectl)
    ]
    ours = [entry for entry in everything if _is_ours(entry)]
    base = ours[0] if ours else {**taken[0], "manager": MANAGER, "operation": "Apply"}
    mine = {
        **base,
        "fieldsV1": managed_fields.merged(managed_fields.as_stored(live, entry) for entry in (*ours, *taken)),
    }
    return (mine, *(entry for entry in everything if entry not in taken and entry not in ours))


def _absorbed(dialect: Dialect, entry: dict[str, Any], api_version: str, *, kubectl: bool) -> bool:
    """Field sets of another version name other fields: they stay as they are."""
    if _is_our_update(entry, api_version):
        return True
    if entry.get("apiVersion") != api_version:
        return False
    return policy_of(dialect).ownership.absorbs(str(entry.get("manager") or ""), api_version, kubectl)


def _is_ours(entry: dict[str, Any]) -> bool:
    return entry.get("manager") == MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource")


def _is_our_update(entry: dict[str, Any], api_version: str) -> bool:
    ours = entry.get("manager") == MANAGER and entry.get("operation") == "Update"
    return ours and entry.get("apiVersion") == api_version


def _bookkeeping(trail: FieldPath) -> bool:
    """Kubectl's copy of what it applied: it goes with the next apply, but is no reason for one."""
    return trail[-1] == LAST_APPLIED
