"""What helm would load for a chart, its subcharts and the archives among them: looked at before helm runs.

Helm copies a subchart for every dependency that names it, so charts that each depend on the next one eight times under
other names grow without an end; and it opens whatever a `values.schema.json` refers to.
"""

# Paths stay texts: pathlib would cost the child a megabyte, and each path an object.
# ruff: noqa: PTH123

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.sandboxed import value_schema
from gitops_workers.sandboxed.fields import mappings, text

CHARTS = 1000
"""Charts that helm would render for one application, each as often as a dependency names it."""

FILES = 20_000
"""Files of all these charts, each as often as it is rendered."""

UNPACKED = 100 << 20
"""Bytes of all archives of one render, unpacked: what helm allows for a single one."""

_DEPTH = 16
_READ = ("Chart.yaml", "requirements.yaml", "values.schema.json")
_SCHEMA = "values.schema.json"


@dataclass(slots=True)
class _Chart:
    """A chart: its files by path below it, those that are read with content."""

    place: str
    files: dict[str, bytes | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Budget:
    left: int = UNPACKED

    def take(self, size: int, place: str) -> None:
        self.left -= size
        if self.left < 0:
            raise UnsafeContent(f"{place}: the chart's archives hold more than {UNPACKED:,} bytes; commit less")


def check(folder: str, place: str, *, schemas: bool) -> None:
    """Look at the chart in `folder`, which messages call `place`. Raises UnsafeContent for what must not reach helm.

    `schemas` says whether helm will validate values.
    """
    _count(_Chart(place, _listing(folder)), _Budget(), schemas, 0)


def _count(chart: _Chart, budget: _Budget, schemas: bool, depth: int) -> tuple[str, int, int]:
    """Return the chart's name, and how many charts and files helm renders for it."""
    if depth > _DEPTH:
        raise UnsafeContent(f"{chart.place}: charts are nested more than {_DEPTH} deep")
    schema = chart.files.get(_SCHEMA)
    if schemas and schema is not None:
        value_schema.check(schema, f"{chart.place}/{_SCHEMA}".lstrip("/"))
    name, wanted = _dependencies(chart)
    own, nested = _split(chart, budget)
    below: dict[str, tuple[int, int]] = {}
    charts, files = 1, own
    for child in nested:
        child_name, *size = _count(child, budget, schemas, depth + 1)
        counted = size[0], size[1]
        below[child_name] = max(below.get(child_name, (0, 0)), counted)
        if child_name not in wanted:
            wanted.append(child_name)
    for dependency in wanted:
        more = below.get(dependency, (0, 0))
        charts, files = charts + more[0], files + more[1]
    if charts > CHARTS or files > FILES:
        raise UnsafeContent(
            f"{chart.place or '.'}: its dependencies name each other so often that helm would render more than "
            f"{CHARTS:,} charts or {FILES:,} files; name each of them once"
        )
    return name, charts, files


def _dependencies(chart: _Chart) -> tuple[str, list[str]]:
    """The chart's name, and the name of each dependency as often as it is named."""
    name, wanted = "", []
    for file in ("Chart.yaml", "requirements.yaml"):
        data = chart.files.get(file)
        place = f"{chart.place}/{file}".lstrip("/")
        try:
            documents = yaml_events.load_documents(data, repeats=[]) if data else []
        except RenderFailed as error:
            raise type(error)(f"{place}: {error}") from None
        content = documents[0] if documents and isinstance(documents[0], dict) else {}
        name = name or text(content, "name", place)
        wanted += [text(entry, "name", place) for entry in mappings(content, "dependencies", place)]
    return name, wanted


def _split(chart: _Chart, budget: _Budget) -> tuple[int, list[_Chart]]:
    """The number of the chart's own files, and its subcharts."""
    own = 0
    nested: dict[str, _Chart] = {}
    for path, content in chart.files.items():
        parts = path.split("/", 2)
        if parts[0] != "charts" or len(parts) == 1 or parts[1].startswith(("_", ".")):
            own += 1
        elif len(parts) > 2:
            child = nested.setdefault(parts[1], _Chart(f"{chart.place}/charts/{parts[1]}".lstrip("/")))
            child.files[parts[2]] = content
        elif parts[1].endswith(".tgz") and content is not None:
            place = f"{chart.place}/{path}".lstrip("/")
            nested[parts[1]] = _Chart(place, _unpacked(content, place, budget))
    return own, list(nested.values())


def _wanted(path: str) -> bool:
    """Whether the content of a chart's file matters here."""
    name = path.rpartition("/")[2]
    return name in _READ or (name.endswith(".tgz") and path.rpartition("/")[0].rpartition("/")[2] == "charts")


def _listing(folder: str) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = f"{place[len(folder) :]}/{name}".lstrip("/")
            found[path] = _content(f"{place}/{name}") if _wanted(path) else None
    return found


def _content(place: str) -> bytes:
    with open(place, "rb") as stream:
        return stream.read()


def _unpacked(archive: bytes, place: str, budget: _Budget) -> dict[str, bytes | None]:
    """The files of an archive without its top folder, as helm names them."""
    found: dict[str, bytes | None] = {}
    source = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(archive)), budget, place)
    try:
        with tarfile.open(fileobj=source, mode="r|") as members:
            for member in _files(members, place):
                path = member.name.replace("\\", "/").partition("/")[2]
                stream = members.extractfile(member) if _wanted(path) and member.isreg() else None
                found[path] = stream.read() if stream is not None else None
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise RenderFailed(f"{place} cannot be unpacked ({type(error).__name__}); package the chart anew") from None
    return found


def _files(members: tarfile.TarFile, place: str) -> Iterable[tarfile.TarInfo]:
    count = 0
    while (member := members.next()) is not None:
        members.members = []  # type: ignore[attr-defined]  # it would keep every header until the end
        count += 1
        if count > FILES:
            raise UnsafeContent(f"{place} holds more than {FILES:,} files")
        if not member.isdir():
            yield member


class _Bounded(io.RawIOBase):
    """A stream of unpacked bytes, each of which is taken from the budget before it is unpacked."""

    def __init__(self, source: gzip.GzipFile, budget: _Budget, place: str) -> None:
        self._source = source
        self._budget = budget
        self._place = place

    def read(self, size: int = -1) -> Any:
        """Read at most `size` bytes."""
        part = self._source.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._budget.take(len(part), self._place)
        return part
