"""Turns sources into objects, each distinct input once: the ports `Closures` and `Renderer`.

`closure` finds which files a render reads, `renderers` has one module for each way to render them (the recipe for a new
one stands there), and the modules here ask the sandbox, keep what it says and share it.
"""

from gitops_workers.adapters.rendering.closures import TreeClosures
from gitops_workers.adapters.rendering.renderer import CachedRenderer
from gitops_workers.adapters.rendering.renderers import CHILDREN, PROGRAMS

__all__ = ["CHILDREN", "PROGRAMS", "CachedRenderer", "TreeClosures"]
