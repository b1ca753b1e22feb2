"""Hook objects: which are never run, and which this version refuses rather than applies as ordinary objects.

Helm's test and rollback hooks are never run by a GitOps engine (Argo CD 3.5 docs, Helm hooks). Every other hook has an
order and a lifetime of its own; applying it like a Deployment would run it at the wrong time and again and again.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.objects import Manifest, key_of

ARGOCD_HOOK = "argocd.argoproj.io/hook"
HELM_HOOK = "helm.sh/hook"
NEVER_RUN = frozenset({"test", "test-success", "test-failure", "pre-rollback", "post-rollback"})
NO_HOOK = frozenset({"crd-install"})


def without_hooks(objects: Iterable[Manifest]) -> tuple[Manifest, ...]:
    """The objects that are applied. Raises RenderFailed naming the first hook that would have to be run."""
    kept = []
    for manifest in objects:
        words = _hook_words(manifest)
        if not words or words <= NO_HOOK:
            kept.append(manifest)
        elif words <= NEVER_RUN or words == {"Skip"}:
            continue
        else:
            raise RenderFailed(
                f"{key_of(manifest)} is a hook ({', '.join(sorted(words))}), and this version runs no hooks. "
                "Remove the hook annotation or leave the object out."
            )
    return tuple(kept)


def _hook_words(manifest: Manifest) -> frozenset[str]:
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    text = annotations.get(ARGOCD_HOOK) or annotations.get(HELM_HOOK) or ""
    return frozenset(word.strip() for word in str(text).split(",") if word.strip())
