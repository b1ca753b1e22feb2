"""Which kinds of manifests we run, which we know and pass over, and what anything else is told."""

from __future__ import annotations

import difflib

from gitops_workers.dialects.document import Document
from gitops_workers.dialects.fields import shown, unknown

ARGOCD = "argoproj.io"
SOURCE = "source.toolkit.fluxcd.io"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io"
NOTIFICATION = "notification.toolkit.fluxcd.io"

APPLICATION = (ARGOCD, "Application")
PROJECT = (ARGOCD, "AppProject")
REPOSITORY = (SOURCE, "GitRepository")
KUSTOMIZATION = (KUSTOMIZE, "Kustomization")
RECEIVER = (NOTIFICATION, "Receiver")

VERSIONS = {APPLICATION: "v1alpha1", PROJECT: "v1alpha1", REPOSITORY: "v1", KUSTOMIZATION: "v1", RECEIVER: "v1"}
"""The kinds that we run, with the only version each is read in."""

PASSED_OVER = frozenset(
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
"""Known kinds that this version does not run."""


def kind_error(document: Document) -> tuple[str, str] | None:
    """(field, sentence) for a document of our groups that cannot be read; None for a readable or a foreign one."""
    group, kind = document.group, document.kind
    if missing := _half_named(document):
        return missing
    version = VERSIONS.get((group, kind))
    if version is not None:
        found = document.text("apiVersion")
        if found == f"{group}/{version}":
            return None
        return "apiVersion", f"found {shown(found)}, allowed is {group}/{version}."
    ours = [name for place, name in (*VERSIONS, *PASSED_OVER) if place == group]
    if not ours or (group, kind) in PASSED_OVER:
        return None
    # argoproj.io also holds Rollout, Workflow and more, so only a slip of the pen is an error there.
    if group == ARGOCD and not difflib.get_close_matches(kind, ours, 1, 0.8):
        return None
    return "kind", unknown("kind", kind, ours)


def _half_named(document: Document) -> tuple[str, str] | None:
    """Where a manifest of ours names only half of what it is, or its group with a slip of the pen."""
    group, kind = document.group, document.kind
    if not kind:
        ours = [name for place, name in (*VERSIONS, *PASSED_OVER) if place == group]
        return ("kind", f"it is missing; of {group} there are {', '.join(ours)}.") if ours else None
    if (group, kind) in VERSIONS or (group, kind) in PASSED_OVER:
        return None
    for (place, name), version in VERSIONS.items():
        found = document.text("apiVersion")
        if name == kind and (not found or difflib.get_close_matches(group, [place], 1, 0.8)):
            what = f"found {shown(found)}" if found else "it is missing"
            return "apiVersion", f"{what}; for kind {kind} write {place}/{version}."
    return None


def meant(document: Document) -> tuple[str, str]:
    """The group and kind that a document means: ours, where only its apiVersion is missing or misspelt."""
    if _half_named(document):
        return next((known for known in VERSIONS if known[1] == document.kind), (document.group, document.kind))
    return document.group, document.kind


def means_project(document: Document) -> bool:
    """Whether the document is an AppProject, perhaps with a slip of the pen in its kind."""
    near = difflib.get_close_matches(document.kind, [kind for group, kind in VERSIONS if group == ARGOCD], 1, 0.8)
    return document.group == ARGOCD and near == [PROJECT[1]]


def note(document: Document) -> str:
    """Why a document that is none of ours has no effect."""
    if not isinstance(document.value, dict) or not document.text("apiVersion") or not document.kind:
        return "this is no Kubernetes object (apiVersion and kind are missing): it is not looked at."
    return f"{document.title} is none of the kinds read from a catalogue: it is not looked at."
