"""Secrets and ConfigMaps in a directory: manifests, or files `namespace/name/key`, or both."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gitops_workers.core.errors import GitOpsError, SourceUnavailable
from gitops_workers.core.model import Problem
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects.configs import LARGEST_DATA, ConfigObject, find_config, is_config, parse_config
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, Load, flattened, load_file
from gitops_workers.dialects.field_rules import is_name, is_namespace

log = structlog.get_logger()

MOST_FILES = 20_000
_KEY_DEPTH = 3


@dataclass(frozen=True, slots=True)
class _File:
    """A manifest file as it was last read. `unread`: what in it was never readable."""

    token: tuple[int, int, int]
    configs: tuple[ConfigObject, ...] = field(default=(), repr=False)
    unread: Problem | None = None


class SecretFiles:
    """Port `Secrets` over a directory, and over the catalogue's ConfigMaps.

    A folder `namespace/name` wins over a manifest, a manifest over the catalogue. Values are read at every call
    (folders) or when a manifest file has changed, so that a rotated secret needs no restart; they stay in memory.
    What a file said before somebody broke it counts until it is mended; of one that was never readable nothing is
    known, so what is not found elsewhere may stand in it.
    """

    def __init__(self, root: Path | None, load: Load, catalogue: Callable[[], Iterable[ConfigObject]] = tuple) -> None:
        """`root` None means the catalogue alone. `catalogue` gives its objects; only ConfigMaps are taken of them."""
        self._root = root
        self._load = load
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._files: dict[Path, _File] = {}

    def read(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """The object's data; None when it does not exist.

        Raises SourceUnavailable where the directory, or a file of it in which it may stand, cannot be read.
        """
        if not is_name(ref.name) or not is_namespace(ref.namespace):
            return None
        if self._root is not None:
            if (data := self._folder(self._root, ref)) is not None:
                return data
            if (config := find_config(self.objects(), ref)) is not None:
                return config.data
        found = find_config(self._catalogue(), ref) if ref.kind == "ConfigMap" else None
        if found is None and (unknown := self._unknown()):
            raise SourceUnavailable(f"secrets: {ref.kind} {ref.namespace}/{ref.name} may stand in {unknown}")
        return None if found is None else found.data

    def objects(self) -> tuple[ConfigObject, ...]:
        """All manifests of the directory: cluster and repository Secrets are found by their labels among them."""
        if self._root is None:
            return ()
        with self._lock:
            self._refresh(self._root)
            return tuple(config for file in self._files.values() for config in file.configs)

    def _unknown(self) -> str:
        """What was never readable, and why; "" where there is nothing."""
        with self._lock:
            return next((str(file.unread) for file in self._files.values() if file.unread), "")

    def _folder(self, root: Path, ref: SecretRef) -> dict[str, bytes] | None:
        """The files of `namespace/name`; a Kubernetes volume's links are followed inside the folder only."""
        try:
            # A missing mount is no missing Secret.
            root.stat()
            real_root = root.resolve()
            folder = (root / ref.namespace / ref.name).resolve()
            if not folder.is_relative_to(real_root) or not folder.is_dir():
                return None
            data: dict[str, bytes] = {}
            room = LARGEST_DATA
            for entry in sorted(folder.iterdir()):
                real = entry.resolve()
                if entry.name.startswith("..") or not real.is_relative_to(real_root) or not real.is_file():
                    continue
                with real.open("rb") as stream:
                    content = stream.read(room + 1)
                room -= len(content)
                if room < 0:
                    raise SourceUnavailable(
                        f"secrets: {ref.namespace}/{ref.name} has more than {LARGEST_DATA:,} bytes; make it smaller"
                    )
                data[entry.name] = content
        except OSError as error:
            raise _unavailable(root, error) from None
        return data

    def _refresh(self, root: Path) -> None:
        known, self._files = self._files, {}
        try:
            for path, status in self._manifests(root):
                token = (status.st_size, status.st_mtime_ns, status.st_ino)
                before = known.get(path)
                same = before is not None and before.token == token
                self._files[path] = before if before and same else self._read(root, path, token, before)
        except GitOpsError:
            self._files = known
            raise

    def _read(self, root: Path, path: Path, token: tuple[int, int, int], before: _File | None) -> _File:
        name = path.relative_to(root).as_posix()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise _unavailable(root, error) from None
        documents, broken = load_file(self._load, data, name)
        if broken and name.count("/") + 1 == _KEY_DEPTH:
            return _File(token)  # a key's file may well be no YAML at all; elsewhere that is a mistake
        said = {config.title: config for config in (before.configs if before else ())}
        configs = list(said.values()) if broken else []
        unread = broken[0] if broken and (before is None or before.unread) else None
        for document in filter(is_config, flattened(documents)):
            config, wrong = parse_config(document)
            broken += wrong
            config = config or said.get(document.title)
            if config is not None:
                configs.append(config)
            elif unread is None:
                unread = wrong[0]
        for problem in broken:
            log.warning("secrets_file_broken", file=name, line=problem.line, reason=problem.message)
        return _File(token, tuple(configs), unread)

    def _manifests(self, root: Path) -> list[tuple[Path, os.stat_result]]:
        """The manifest files, sorted. Raises SourceUnavailable instead of leaving out what cannot be read."""

        def fail(error: OSError) -> None:
            raise _unavailable(root, error)

        found = []
        real_root = root.resolve()
        try:
            root.stat()
            for folder, names, files in os.walk(root, onerror=fail):
                names[:] = sorted(name for name in names if not name.startswith("."))
                for name in sorted(files):
                    path = Path(folder, name)
                    if name.startswith(".") or not name.endswith(MANIFEST_SUFFIXES):
                        continue
                    if path.resolve().is_relative_to(real_root):
                        found.append((path, path.stat()))
                if len(found) > MOST_FILES:
                    raise SourceUnavailable(f"secrets: {root} holds over {MOST_FILES:,} manifests; name a smaller one")
        except OSError as error:
            raise _unavailable(root, error) from None
        return found


def _unavailable(root: Path, error: OSError) -> SourceUnavailable:
    return SourceUnavailable(f"secrets: {error.filename or root} cannot be read ({error.strerror}); check the mount")
