"""The pinned programs: which they are (`pins`) and where a ready one is (`find`). `local.toolchain` builds them."""

from gitops_workers.toolchain.find import tool
from gitops_workers.toolchain.pins import ToolMissing, cache, pinned

__all__ = ["ToolMissing", "cache", "pinned", "tool"]
