"""`python -m gitops_workers.local.demo [--once]`: what `make demo` runs; it ends with its parent."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gitops_workers.local.demo.run import FOLDER, run
from gitops_workers.local.signals import end_with_parent


def main() -> int:
    """Read the arguments and run the demo."""
    parser = argparse.ArgumentParser(prog="make demo", description="See the whole engine at work on this machine.")
    parser.add_argument(
        "--once", action="store_true", help="end after the story; exit code 0 only if all of it happened"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything is written (default: .demo)")
    options = parser.parse_args()
    end_with_parent()
    return run(once=options.once, folder=options.folder)


if __name__ == "__main__":
    sys.exit(main())
