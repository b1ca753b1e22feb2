"""Manifests to values: `parse` turns a catalogue's documents into applications, collecting every problem.

In this room: the two dialects (`argocd`, `flux`), what they share (documents with lines, field reading, Secrets and
ConfigMaps as data, credentials), and nothing that reads a file, a clock or a network. Loading is passed in.

A new manifest kind is one new module and one line of registration:

1. `argocd/<kind>.py` or `flux/<kind>.py`: the models of its fields (`fields.ManifestModel`), a function
   `parse(context, references)` that returns what one manifest contributes, and `KIND`, a `manifest_kind.ManifestKind`
   with its group, kind, versions, dialect, what it contributes (applications, a project, a source, a receiver) and what
   it refers to. Other manifests are looked up in `references` alone.
2. `kinds.py`: `<kind>.KIND` in `KINDS`.

Everything else follows from it: the order of reading, misspelt kinds and versions, duplicates, what is wrong and not
gone, ids in dependencies, targets of Receivers, the README's table (`undone`), and by its dialect how what comes of it
behaves (`core.dialect`). A source that is no Git repository needs a source adapter as well.
"""

from __future__ import annotations

from gitops_workers.dialects.catalogue import Parsed, parse
from gitops_workers.dialects.document import Document

__all__ = ["Document", "Parsed", "parse"]
