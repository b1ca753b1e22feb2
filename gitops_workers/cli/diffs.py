"""How the difference of one object is printed."""

from __future__ import annotations

from gitops_workers.cli.output import flat, paint, plain
from gitops_workers.core.status.rows import ResourceView


def show_diff(view: ResourceView) -> None:
    """Print one object's diff, or what is known of it where there is none."""
    if not view.diff:
        print(f"=== {flat(view.kind)} {flat(view.namespace)}/{flat(view.name)}: {flat(view.message) or 'differs'}")
        return
    words = {"+": "added", "-": "removed", "@": "Running"}
    for line in plain(view.diff).rstrip("\n").split("\n"):
        print(paint(line, words.get(line[:1], "-")))
