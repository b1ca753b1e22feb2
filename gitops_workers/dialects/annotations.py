"""Our own annotations, which applications of both dialects may carry."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.messages import shown

NEW_COMMIT = "gitops-workers.dev/new-commit"
"""What a newer commit does to an operation that waits: `replace` it at once (the default), or `wait` for its end.

Argo CD always waits, also for an operation that can never end (argo-cd 11494); Flux waits unless a feature gate is on.
Who chooses `wait` should give operations a deadline (GITOPS_SYNC_TIMEOUT, Flux `spec.timeout`).
"""


def finish_first(reading: ParseContext, annotations: Mapping[str, str]) -> bool:
    """Whether a running operation is finished at its own commit first."""
    value = annotations.get(NEW_COMMIT, "replace")
    if value not in ("replace", "wait"):
        reading.error(
            ("metadata", "annotations", NEW_COMMIT),
            f"found {shown(value)}, allowed are replace (the default) and wait.",
        )
    return value == "wait"


REPEATED_OBJECTS = "gitops-workers.dev/repeated-objects"
"""What becomes of an object that stands twice in what an Argo CD application renders: `refuse` it (the default), or let
the `last` count with the condition RepeatedResourceWarning, as Argo CD does."""


def last_object(reading: ParseContext, annotations: Mapping[str, str]) -> bool:
    """Whether the last of two objects of one identity counts."""
    value = annotations.get(REPEATED_OBJECTS, "refuse")
    if value not in ("refuse", "last"):
        reading.error(
            ("metadata", "annotations", REPEATED_OBJECTS),
            f"found {shown(value)}, allowed are refuse (the default) and last.",
        )
    return value == "last"
