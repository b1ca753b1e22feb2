"""The Kubernetes objects in files that a command names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from gitops_workers.cli.files import documents, lenient_documents, read_files
from gitops_workers.core.objects import Manifest
from gitops_workers.core.render import sops
from gitops_workers.dialects import Document
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, flattened, load_file


@dataclass(frozen=True, slots=True)
class Found:
    """The objects with their files, Lists taken apart, and what in the files is none."""

    objects: tuple[tuple[str, Manifest], ...]
    problems: tuple[str, ...]


def read_objects(names: Iterable[str], *, to_apply: bool) -> Found:
    """Everything in these files and directories. Raises InvalidManifest for a file that cannot be opened.

    `to_apply`: strictly, and an object must have a name (or generateName).
    """
    load = documents if to_apply else lenient_documents
    objects, problems = [], []
    for name, data in read_files(names, MANIFEST_SUFFIXES).items():
        loaded, broken = load_file(load, data, name)
        problems += [str(problem) for problem in broken]
        if to_apply:
            problems += [str(document.problem((), text)) for document in loaded if (text := _encrypted(document))]
        for document in flattened(loaded):
            if wrong := _flaw(document, named=to_apply):
                problems.append(str(document.problem((), f"this is no object: {wrong}.")))
            else:
                objects.append((name, document.value))
    return Found(tuple(objects), tuple(problems))


def _encrypted(document: Document) -> str:
    """What to say where SOPS has encrypted an object, or a value in it; "" elsewhere."""
    if sops.is_encrypted(document.value):
        return f"the object {sops.ADVICE}."
    keys = (sops.encrypted_key(one.value) for one in flattened([document]) if isinstance(one.value, dict))
    return next((f"{key} {sops.ADVICE}." for key in keys if key), "")


def _flaw(document: Document, *, named: bool) -> str:
    if not document.text("apiVersion"):
        return "apiVersion is missing"
    if not document.kind:
        return "kind is missing"
    metadata = document.value.get("metadata")
    for field in ("name", "generateName", "namespace"):
        value = metadata.get(field) if isinstance(metadata, dict) else None
        if value is not None and not isinstance(value, str):
            return f"metadata.{field} is read as {json.dumps(value, default=str)} and has to be text; put it in quotes"
    has_name = document.text("metadata", "name") or document.text("metadata", "generateName")
    return "metadata.name is missing" if named and not has_name else ""
