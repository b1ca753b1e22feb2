"""Turns closures into objects, each distinct input once: the port `Renderer`."""

from gitops_workers.adapters.rendering.renderer import CachedRenderer

__all__ = ["CachedRenderer"]
