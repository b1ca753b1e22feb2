"""What upstream knows and this version does not do, as the table of the README: taken from where it is decided.

`python -m gitops_workers.dialects.undone` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_workers.core.render.render_spec import OVERRIDES
from gitops_workers.dialects.argocd.application import ANNOTATIONS_LATER
from gitops_workers.dialects.argocd.project_shapes import ProjectShape
from gitops_workers.dialects.argocd.shapes import ApplicationShape
from gitops_workers.dialects.argocd.sync_policy import without_effect
from gitops_workers.dialects.credentials import APP_KEYS, REPOSITORY_LATER
from gitops_workers.dialects.fields import ManifestModel, later_fields
from gitops_workers.dialects.flux.receiver import TYPES, ReceiverShape
from gitops_workers.dialects.flux.shapes import KustomizationShape
from gitops_workers.dialects.flux.sources import GitRepositoryShape
from gitops_workers.dialects.kinds import PASSED_OVER

_SHAPES: tuple[tuple[str, type[ManifestModel]], ...] = (
    ("`Application`", ApplicationShape),
    ("`AppProject`", ProjectShape),
    ("`GitRepository`", GitRepositoryShape),
    ("`Kustomization`", KustomizationShape),
    ("`Receiver`", ReceiverShape),
)
_REFUSED = {
    "`Application`": ["more than one of `spec.sources`", "`oci://` in `spec.source.repoURL`"],
    "`Kustomization`": ["a `sourceRef` to anything but a `GitRepository`"],
    "`Receiver`": [f"a `spec.type` other than {', '.join(sorted(TYPES))}"],
}
"""Refusals of a value, which no field as such stands for."""


def table() -> str:
    """The fields, files, keys and kinds as a Markdown table."""
    rows = ["| not yet | refused: nothing is synced | has no effect, and a condition says so |", "|---|---|---|"]
    for title, shape in _SHAPES:
        found = list(later_fields(shape))
        refused = [f"`{path}`" for path, later in found if later.refuses]
        ignored = [f"`{path}`" for path, later in found if not later.refuses]
        if shape is ApplicationShape:
            ignored += [f"`{text}` in `syncOptions`" for text in without_effect()]
            ignored += [f"`{text}`" for text in ANNOTATIONS_LATER]
        rows.append(_row(title, [*refused, *_REFUSED.get(title, [])], ignored))
    rows.append(
        _row("files in the path of an Argo CD application", [*(f"`{name}`" for name in OVERRIDES), "Jsonnet"], [])
    )
    rows.append(_row("keys of Argo CD's repository Secrets", [f"`{key}`" for key in REPOSITORY_LATER], []))
    rows.append(_row("keys of the Secret of a `GitRepository`", [f"`{key}`" for key in APP_KEYS], []))
    rows.append(_row("kinds (a remark says so)", [], sorted(f"`{kind}`" for _, kind in PASSED_OVER)))
    return "\n".join(rows)


def _row(title: str, refused: Iterable[str], ignored: Iterable[str]) -> str:
    return f"| {title} | {', '.join(refused)} | {', '.join(ignored)} |"


if __name__ == "__main__":
    print(table())  # noqa: T201 - printing is this command's purpose
