"""The registry of manifest kinds: which we run, which we know and pass over, and what anything else is told."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from gitops_workers.core.model import AppId, Dialect
from gitops_workers.dialects.argocd import application, project
from gitops_workers.dialects.document import Document
from gitops_workers.dialects.flux import git_repository, kustomization, receiver
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind
from gitops_workers.dialects.messages import shown, unknown

KINDS: tuple[ManifestKind, ...] = (
    application.KIND,
    project.KIND,
    git_repository.KIND,
    kustomization.KIND,
    receiver.KIND,
)
"""The kinds that we run."""

ARGOCD = "argoproj.io"
SOURCE = "source.toolkit.fluxcd.io"
NOTIFICATION = "notification.toolkit.fluxcd.io"

_BY_NAME = {(kind.group, kind.kind): kind for kind in KINDS}
_BY_DIALECT = {(kind.dialect, kind.kind): kind for kind in KINDS}
_UPSTREAM = frozenset(
    {
        (ARGOCD, "ApplicationSet"),
        (SOURCE, "Bucket"),
        (SOURCE, "ExternalArtifact"),
        (SOURCE, "HelmChart"),
        (SOURCE, "HelmRepository"),
        (SOURCE, "OCIRepository"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        (NOTIFICATION, "Alert"),
        (NOTIFICATION, "Provider"),
        ("image.toolkit.fluxcd.io", "ImagePolicy"),
        ("image.toolkit.fluxcd.io", "ImageRepository"),
        ("image.toolkit.fluxcd.io", "ImageUpdateAutomation"),
        ("source.extensions.fluxcd.io", "ArtifactGenerator"),
    }
)
PASSED_OVER = _UPSTREAM - _BY_NAME.keys()
"""Known kinds that this version does not run."""


def kind_of(document: Document) -> ManifestKind | None:
    """The kind that a document is written as; None for one that we do not run."""
    return _BY_NAME.get((document.group, document.kind))


def find(dialect: Dialect, name: str) -> ManifestKind | None:
    """The kind of this name in a dialect, as manifests name each other without an API group."""
    return _BY_DIALECT.get((dialect, name))


def contributing(contribution: Contribution) -> tuple[ManifestKind, ...]:
    """The kinds whose manifests add this to the catalogue."""
    return tuple(kind for kind in KINDS if kind.contributes is contribution)


def dialect_of(app_id: AppId) -> Dialect | None:
    """The dialect of an application by its id; None where this version does not run its kind."""
    word = app_id.partition("/")[0]
    found = (kind.dialect for kind in contributing(Contribution.APPLICATION) if kind.kind.lower() == word)
    return next(found, None)


def in_order(kinds: Iterable[ManifestKind] = KINDS) -> Iterator[ManifestKind]:
    """The kinds, each behind all that contribute what it refers to; else as they are registered.

    Raises ValueError for kinds that refer to each other in a circle.
    """
    waiting = list(kinds)
    while waiting:
        missing = {kind.contributes for kind in waiting}
        found = next((kind for kind in waiting if not kind.refers_to & missing), None)
        if found is None:
            raise ValueError(f"kinds refer to each other: {', '.join(kind.kind for kind in waiting)}")
        waiting.remove(found)
        yield found


def kind_error(document: Document) -> tuple[str, str] | None:
    """(field, sentence) for a document of our groups that cannot be read; None for a readable or a foreign one."""
    group, kind = document.group, document.kind
    if missing := _half_named(document):
        return missing
    if ours := kind_of(document):
        found = document.text("apiVersion")
        if found in ours.api_versions:
            return None
        return "apiVersion", f"found {shown(found)}, allowed is {' or '.join(ours.api_versions)}."
    known = _names_in(group)
    if not known or (group, kind) in PASSED_OVER:
        return None
    # argoproj.io also holds Rollout, Workflow and more, so only a slip of the pen is an error there.
    if group == ARGOCD and not difflib.get_close_matches(kind, known, 1, 0.8):
        return None
    return "kind", unknown("kind", kind, known)


def _names_in(group: str) -> list[str]:
    return [name for place, name in (*_BY_NAME, *sorted(PASSED_OVER)) if place == group]


def _half_named(document: Document) -> tuple[str, str] | None:
    """Where a manifest of ours names only half of what it is, or its group with a slip of the pen."""
    group, kind = document.group, document.kind
    if not kind:
        ours = _names_in(group)
        return ("kind", f"it is missing; of {group} there are {', '.join(ours)}.") if ours else None
    if (group, kind) in _BY_NAME or (group, kind) in PASSED_OVER:
        return None
    found = document.text("apiVersion")
    for each in KINDS:
        if each.kind == kind and (not found or difflib.get_close_matches(group, [each.group], 1, 0.8)):
            what = f"found {shown(found)}" if found else "it is missing"
            return "apiVersion", f"{what}; for kind {kind} write {each.api_versions[0]}."
    return None


def meant(document: Document) -> ManifestKind | None:
    """The kind that a document with a `kind_error` means: ours, where its apiVersion or its kind is misspelt."""
    if found := kind_of(document):
        return found
    if document.kind and _half_named(document):
        return next(kind for kind in KINDS if kind.kind == document.kind)
    near = difflib.get_close_matches(document.kind, _names_in(document.group), 1, 0.8)
    return _BY_NAME.get((document.group, near[0])) if near else None


def note(document: Document) -> str:
    """Why a document that is none of ours has no effect."""
    if not isinstance(document.value, dict) or not document.text("apiVersion") or not document.kind:
        return "this is no Kubernetes object (apiVersion and kind are missing): it is not looked at."
    return f"{document.title} is none of the kinds read from a catalogue: it is not looked at."
