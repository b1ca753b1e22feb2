"""`app explain`: what the last look made of each stage, and why nothing happens now."""

from __future__ import annotations

from gitops_workers.cli.arguments import App
from gitops_workers.cli.client import open_engine
from gitops_workers.cli.output import Output, OutputOption, flat, paint, show_value
from gitops_workers.core.explain.explanation import Explanation

WIDTH = 14


def explain(app: App, output: OutputOption = Output.TABLE) -> None:
    """Show each stage of the last look, why nothing happens now, and when the next look is due."""
    from gitops_workers.services.explain import explanation_of  # noqa: PLC0415 - heavy; `--help` does without

    engine = open_engine()
    found = explanation_of(engine.state, engine.queue, engine.find(app))
    if output is Output.NAME:
        print(flat(found.app))
    elif output in (Output.JSON, Output.YAML):
        show_value(found.to_json(), output)
    else:
        _show(found)


def _show(found: Explanation) -> None:
    print(f"{'Application:':<{WIDTH}}{flat(found.app)}")
    print(f"{'Why:':<{WIDTH}}{flat(found.why)}")
    print(f"{'Next look:':<{WIDTH}}{flat(found.next_look)}")
    for number, text in enumerate(found.earlier):
        print(f"{'' if number else 'Earlier by:':<{WIDTH}}{flat(text)}")
    for title, lines in found.sections:
        print()
        print(paint(title, "Running"))
        for line in lines:
            print(f"  {' ' * (len(line) - len(line.lstrip()))}{flat(line)}")
