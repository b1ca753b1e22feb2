"""`validate`, `render`, `substitute`: for authors and CI, without cluster and Redis."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gitops_workers.cli import FAILED, INVALID
from gitops_workers.cli.output import Output, flat, show_value
from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import Problem

Files = Annotated[list[str], typer.Argument(metavar="FILE", help="Manifests, directories of them, or - for stdin.")]


def validate(
    files: Files,
    output: Annotated[
        Output, typer.Option("-o", "--output", help="table (one line each), json or yaml.")
    ] = Output.TABLE,
) -> None:
    """Print every problem of these manifests: file, line, field, what is allowed. Exits with 2 on an error."""
    from gitops_workers.cli.files import documents, read_files  # noqa: PLC0415 - parsers; `--help` does without
    from gitops_workers.dialects import validation  # noqa: PLC0415
    from gitops_workers.dialects.document import MANIFEST_SUFFIXES  # noqa: PLC0415

    contents = read_files(files, MANIFEST_SUFFIXES)
    problems = validation.validate(contents, documents)
    errors = [problem for problem in problems if not problem.known]
    if output in (Output.JSON, Output.YAML):
        show_value([_as_json(problem) for problem in problems], output)
    else:
        for problem in problems:
            print(f"{flat(problem)}" if not problem.known else f"{flat(problem)} (note)")
        notes = len(problems) - len(errors)
        print(
            f"{_count(len(contents), 'file')}, {_count(len(errors), 'error')}, {_count(notes, 'note')}", file=sys.stderr
        )
    if errors:
        raise typer.Exit(INVALID)


def render(
    what: Annotated[
        list[str],
        typer.Argument(metavar="APP|FILE", help="A running application, or files that declare applications."),
    ],
    app: Annotated[str, typer.Option("--app", help="Of the files' applications only this one.")] = "",
) -> None:
    """Print the objects that Git means for an application, as YAML. Files need no cluster and no Redis."""
    from gitops_workers.cli import client, rendering  # noqa: PLC0415 - Git and the renderer behind them

    if any(_is_file(name) for name in what):
        rendering.print_files(client.settings(), what, app)
        return
    running = client.open_engine()
    for name in what:
        rendering.print_application(running, running.find(name))


def substitute(
    variables: Annotated[
        Path,
        typer.Option(
            "--vars", metavar="FILE", help="Variables: NAME=value lines, a YAML map, a ConfigMap or a Secret."
        ),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="An unset variable without a default is an error.")] = False,
) -> None:
    """Replace ${variables} as Flux does after a build, from standard input to standard output."""
    from gitops_workers.core.text.substitution import substitute as replaced  # noqa: PLC0415 - as above

    values = read_variables(variables)
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise InvalidManifest("standard input is no UTF-8 text.") from None
    try:
        result = replaced(text, values, strict=strict)
    except Refused as error:
        print(f"gitops-workers: {flat(error)}", file=sys.stderr)
        raise typer.Exit(FAILED) from None
    sys.stdout.write(result)


def read_variables(path: Path) -> dict[str, str]:
    """The variables of a file. Raises InvalidManifest, which never shows a value."""
    from gitops_workers.cli.files import documents  # noqa: PLC0415 - the YAML reader
    from gitops_workers.dialects.configs import is_config, parse_config  # noqa: PLC0415

    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidManifest(f"{path}: cannot be read ({error.strerror}).") from None
    if (lines := _assignments(data)) is not None:
        return lines
    values: dict[str, str] = {}
    for document in documents(data, str(path)):
        if is_config(document):
            config, problems = parse_config(document)
            if config is None:
                raise InvalidManifest("\n".join(map(str, problems)))
            values |= {key: config.text(key) for key in config.data}
        elif isinstance(document.value, Mapping):
            values |= {key: _text(path, key, value) for key, value in document.value.items()}
        else:
            raise InvalidManifest(f"{path}: found no map; write `name: value` or `NAME=value` lines.")
    return values


def _assignments(data: bytes) -> dict[str, str] | None:
    """The variables of an env file; None when it is something else."""
    found = {}
    for raw in data.decode("utf-8", "replace").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.removeprefix("export ").partition("=")
        if not equals or not name.strip().isidentifier():
            return None
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        found[name.strip()] = value[1:-1] if quoted else value
    return found


def _text(path: Path, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidManifest(f"{path}: {flat(key)}: found a {type(value).__name__}, allowed is text; write one value.")


def _is_file(name: str) -> bool:
    return name == "-" or Path(name).exists() or name.endswith((".yaml", ".yml", ".json"))


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "field": problem.path,
        "message": problem.message,
        "severity": "note" if problem.known else "error",
    }


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
