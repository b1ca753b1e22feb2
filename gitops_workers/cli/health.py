"""`health`: what Argo CD's or Flux' rules say of objects in files."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitops_workers.cli import INVALID
from gitops_workers.cli.output import Column, Output, OutputOption, View, flat, show_rows

if TYPE_CHECKING:  # `--help` does without the rules
    from gitops_workers.core.model import Health
    from gitops_workers.core.objects import Manifest

    Judge = Callable[[Manifest], Health | None]

Files = Annotated[list[str], typer.Argument(metavar="FILE", help="Objects with their status, directories, or -.")]


class Rules(enum.StrEnum):
    """Whose rules."""

    ARGOCD = "argocd"
    KSTATUS = "kstatus"


@dataclass(frozen=True, slots=True)
class Row:
    """One object. `status` is None where the kind has no health."""

    file: str
    group: str
    kind: str
    namespace: str
    name: str
    status: str | None
    message: str

    def to_json(self) -> dict[str, Any]:
        """As `-o json` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


ROWS: View[Row] = View(
    columns=[
        Column("FILE", lambda row: row.file),
        Column("KIND", lambda row: f"{row.kind}.{row.group}" if row.group else row.kind),
        Column("NAMESPACE", lambda row: row.namespace or "-"),
        Column("NAME", lambda row: row.name),
        Column("HEALTH", lambda row: row.status or "-"),
        Column("MESSAGE", lambda row: row.message),
    ],
    name=lambda row: f"{row.kind}/{row.namespace}/{row.name}" if row.namespace else f"{row.kind}/{row.name}",
    to_json=lambda row: row.to_json(),
    nothing="the files hold no objects",
)


def health(
    files: Files,
    rules: Annotated[Rules, typer.Option(help="Argo CD's rules, or kstatus as Flux runs it.")] = Rules.ARGOCD,
    customizations: Annotated[
        str,
        typer.Option(metavar="FILE", help="Rules of your own: an argocd-cm, or a Kustomization with healthCheckExprs."),
    ] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Print the health of every object in these files: as it stands there, whether it is being deleted or not.

    Exits with 2 when a file holds something else.
    """
    from gitops_workers.cli.objects import read_objects  # noqa: PLC0415 - parsers; `--help` does without
    from gitops_workers.core.objects import key_of  # noqa: PLC0415

    found = read_objects(files, to_apply=False)
    with _judge(rules, customizations) as judge:
        rows = []
        for file, manifest in found.objects:
            verdict, key = judge(manifest), key_of(manifest)
            status, message = (verdict.status.value, verdict.message) if verdict else (None, "")
            rows.append(Row(file, *key, status, message))
    show_rows(ROWS, rows, output)
    for problem in found.problems:
        print(f"gitops-workers: {flat(problem)}", file=sys.stderr)
    if found.problems:
        raise typer.Exit(INVALID)


@contextmanager
def _judge(rules: Rules, customizations: str) -> Iterator[Judge]:
    """The function that tells an object's health; with rules of the user it needs a sandbox, which ends here."""
    from gitops_workers.core.model import Dialect  # noqa: PLC0415 - `--help` does without the rules

    dialect = {Rules.ARGOCD: Dialect.ARGOCD, Rules.KSTATUS: Dialect.FLUX}[rules]
    if customizations:
        from gitops_workers.cli.custom_health import custom  # noqa: PLC0415 - the sandbox, for those who need it

        with custom(customizations, dialect) as judge:
            yield judge
        return
    import time  # noqa: PLC0415 - as above

    from gitops_workers.core.dialect import policy_of  # noqa: PLC0415

    now = time.time()
    by_rule = policy_of(dialect).health.by_rule
    yield lambda live: by_rule(live, now)
