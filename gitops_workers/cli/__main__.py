"""`python -m gitops_workers.cli`: the command where its script is not installed."""

from gitops_workers.cli import main

main()
