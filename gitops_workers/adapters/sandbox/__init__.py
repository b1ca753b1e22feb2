"""The pool of sandbox children: where everything from a repository is parsed and rendered."""

from gitops_workers.adapters.sandbox.limits import SandboxLimits
from gitops_workers.adapters.sandbox.pool import OPEN_NETWORK, Sandbox

__all__ = ["OPEN_NETWORK", "Sandbox", "SandboxLimits"]
