"""Finds the inputs of a render from git trees: the port `Closures`.

Nothing is checked out. File contents are read only for kustomizations and charts, in the sandbox, once per blob.
"""

from gitops_workers.adapters.closure.closures import GitClosures

__all__ = ["GitClosures"]
