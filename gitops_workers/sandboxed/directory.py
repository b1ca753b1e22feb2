"""One directory render: plain manifests, read as `kubectl apply` reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.sandboxed import objects
from gitops_workers.sandboxed.render_job import RenderJob

SKIP = b"# +argocd:skip-file-rendering"
_FIELDS = [re.compile(rb"\b%s[\"']?\s*:" % field) for field in (b"apiVersion", b"kind", b"metadata")]
TOTAL = 10 << 20
"""Bytes of all manifests of a directory source together: Argo CD's own cap (reposerver.max.combined...)."""


def render(job: RenderJob) -> list[objects.Found]:
    """Return the objects of the files, in the order of their paths."""
    total = sum(len(content) for _, _, content in job.files)
    if total > TOTAL:
        raise RenderFailed(
            f"the manifests have {total:,} bytes, more than {TOTAL:,}; split the application or exclude files"
        )
    found: list[objects.Found] = []
    for path, _, content in sorted(job.files):
        if SKIP not in content:
            found += _read(path, content, job.remarks)
    return found


def _read(path: str, content: bytes, remarks: list[str] | None) -> list[objects.Found]:
    """The objects of a file; none of a YAML file that holds something else, which Argo CD passes over, too.

    That is decided for the whole file (3.5, `getObjsFromYAMLOrJson`): it begins with what is no object of Kubernetes,
    and nowhere in it stands what one consists of. Any doubt is an error: then an object would be missing.
    """
    foreign = not path.endswith(".json") and not all(field.search(content) for field in _FIELDS)
    own: list[str] | None = None if remarks is None else []
    try:
        found = objects.read(content, path, own)
    except UnsafeContent:
        raise
    except RenderFailed:
        if foreign:
            return []
        raise
    if foreign and found and _is_foreign(found[0].manifest):
        return []
    if remarks is not None and own:
        remarks += own
    return found


def _is_foreign(document: Mapping[str, Any]) -> bool:
    """Whether it is no object: it names no kind, and not because that was forgotten (which Argo CD overlooks)."""
    named = isinstance(document.get("kind"), str) and document["kind"] != ""
    return not named and not {"apiVersion", "metadata"} <= document.keys()
