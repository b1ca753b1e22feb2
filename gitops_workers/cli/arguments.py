"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

App = Annotated[str, typer.Argument(metavar="APP", help="<kind>/<namespace>/<name>, or a name that is unique.")]
Apps = Annotated[list[str], typer.Argument(metavar="APP", help="Ids, or names that are unique.")]
Timeout = Annotated[float, typer.Option(help="Seconds to wait at most.", min=0.1)]
