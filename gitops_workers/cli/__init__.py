"""The `gitops-workers` command: everything an operator types.

In this room: reading arguments, asking ports, printing answers; a module per group of verbs. Nothing decides anything
about an application here, and what a verb needs is imported when it runs: `version` and `--help` must be instant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gitops_workers.core.errors import GitOpsError, InvalidManifest
from gitops_workers.core.text.redact import scrub

FAILED = 1
"""Failed, timed out, or (for `diff`) differs."""
INVALID = 2
"""Bad usage or invalid input; what click exits with, too."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    from gitops_workers.cli.root import app  # noqa: PLC0415 - typer takes 60 ms, which importers of this package spare

    try:
        app(args=list(sys.argv[1:] if arguments is None else arguments))
    except InvalidManifest as error:
        sys.exit(complain(str(error), INVALID))
    except GitOpsError as error:
        sys.exit(complain(str(error), FAILED))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # `| head` has seen enough; without this the interpreter complains once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def complain(message: str, code: int) -> int:
    """Print an error for a person; returns the code to exit with."""
    print(f"gitops-workers: {scrub(message)}", file=sys.stderr)
    return code
