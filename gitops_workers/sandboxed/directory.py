"""One directory render: plain manifests, read as `kubectl apply` reads them."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed import objects

SKIP = b"# +argocd:skip-file-rendering"
TOTAL = 10 << 20
"""Bytes of all manifests of a directory source together: Argo CD's own cap (reposerver.max.combined...)."""


def render(files: Sequence[tuple[str, str, bytes]]) -> list[objects.Found]:
    """Return the objects of the files, in the order of their paths."""
    total = sum(len(content) for _, _, content in files)
    if total > TOTAL:
        raise RenderFailed(
            f"the manifests have {total:,} bytes, more than {TOTAL:,}; split the application or exclude files"
        )
    found: list[objects.Found] = []
    for path, _, content in sorted(files):
        if SKIP not in content:
            found += objects.read(content, path)
    return found
