"""Manifests to values: `parse` turns a catalogue's documents into applications, collecting every problem.

In this room: the two dialects (`argocd`, `flux`), what they share (documents with lines, field reading, Secrets and
ConfigMaps as data, credentials), and nothing that reads a file, a clock or a network. Loading is passed in.
"""

from __future__ import annotations

from gitops_workers.dialects.catalogue import Parsed, parse
from gitops_workers.dialects.document import Document

__all__ = ["Document", "Parsed", "parse"]
