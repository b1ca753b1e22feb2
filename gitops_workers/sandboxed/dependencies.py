"""What a chart depends on and what it has already: as helm compares them, by the names that charts give themselves."""

# Paths stay texts: pathlib would cost the child a megabyte, and each path an object.
# ruff: noqa: PTH112, PTH113, PTH208

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from typing import Any

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed import scan
from gitops_workers.sandboxed.export import read

DESCRIPTION, REQUIREMENTS = "Chart.yaml", "requirements.yaml"
_ARCHIVE_BYTES = 8 << 20
"""How far an archive is unpacked to find its Chart.yaml, which `helm package` puts first."""


def local(chart: str, path: str) -> list[list[str]]:
    """Dependencies by `file://` of the chart in a folder, as [name, path]; `path` is the folder's name in messages.

    A requirements.yaml (charts of Helm 2) that declares some replaces those of Chart.yaml.
    """
    found = scan.chart(read(f"{chart}/{DESCRIPTION}"), f"{path}/{DESCRIPTION}")
    if os.path.isfile(f"{chart}/{REQUIREMENTS}"):
        older = scan.chart(read(f"{chart}/{REQUIREMENTS}"), f"{path}/{REQUIREMENTS}")
        found = older if older["declares"] else found
    return list(found["local"])


def vendored(chart: str) -> set[str]:
    """The names of the charts in `charts/`: folders and archives, whatever these are called themselves."""
    folder = f"{chart}/charts"
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return {name for entry in names if (name := _name(f"{folder}/{entry}"))}


def _name(place: str) -> str:
    """The name of the chart at a place; "" when there is none that can be read, of which helm says more."""
    try:
        if os.path.isfile(f"{place}/{DESCRIPTION}"):
            documents = yaml_events.load_documents(read(f"{place}/{DESCRIPTION}"), repeats=[])
        elif place.endswith((".tgz", ".tar.gz")) and os.path.isfile(place):
            documents = yaml_events.load_documents(_archived(place), repeats=[])
        else:
            return ""
    except RenderFailed:
        return ""
    content: Any = documents[0] if documents else None
    name = content.get("name") if isinstance(content, dict) else None
    return name if isinstance(name, str) else ""


def _archived(place: str) -> bytes:
    """The Chart.yaml in an archive, b"" when it is not found."""
    try:
        with gzip.open(place) as stream:
            data = io.BytesIO(stream.read(_ARCHIVE_BYTES))
        with tarfile.open(fileobj=data) as archive:
            for member in archive:
                if member.isfile() and member.name.count("/") == 1 and member.name.endswith(f"/{DESCRIPTION}"):
                    found = archive.extractfile(member)
                    return found.read() if found is not None else b""
    except (OSError, EOFError, zlib.error, tarfile.TarError):
        pass
    return b""
