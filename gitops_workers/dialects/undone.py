"""What upstream knows and this version does not do, as the table of the README: taken from where it is decided.

`python -m gitops_workers.dialects.undone` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_workers.core.render.render_spec import OVERRIDES
from gitops_workers.dialects.credentials import APP_KEYS, REPOSITORY_LATER
from gitops_workers.dialects.fields import later_fields
from gitops_workers.dialects.kinds import KINDS, PASSED_OVER, contributing
from gitops_workers.dialects.manifest_kind import Contribution


def table() -> str:
    """The fields, files, keys and kinds as a Markdown table."""
    rows = ["| not yet | refused: nothing is synced | has no effect, and a condition says so |", "|---|---|---|"]
    sources = " or ".join(f"a `{kind.kind}`" for kind in contributing(Contribution.SOURCE))
    for kind in KINDS:
        found = list(later_fields(kind.model))
        refused = [f"`{path}`" for path, later in found if later.refuses]
        ignored = [f"`{path}`" for path, later in found if not later.refuses]
        if Contribution.SOURCE in kind.refers_to and kind.contributes is Contribution.APPLICATION:
            refused.append(f"a `sourceRef` to anything but {sources}")
        rows.append(_row(f"`{kind.kind}`", [*refused, *kind.refuses], [*ignored, *kind.without_effect]))
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
