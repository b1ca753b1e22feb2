"""`tools`: building the pinned programs that renders and the demo run."""

from __future__ import annotations

from typing import Annotated

import typer


def tools(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which; kustomize and helm if none is named.")
    ] = None,
) -> None:
    """Find or build the pinned programs: kustomize, helm, sops, and the demo's controlplane and kwok; minutes, once."""
    from gitops_workers.local import toolchain  # noqa: PLC0415 - `--help` does without

    raise typer.Exit(toolchain.main(names or ["kustomize", "helm"]))
