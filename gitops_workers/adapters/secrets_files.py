"""Secrets and ConfigMaps in a directory: manifests, or files `namespace/name/key`, or both."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from gitops_workers.core.errors import SourceUnavailable
from gitops_workers.core.model import Problem
from gitops_workers.core.render_spec import SecretRef
from gitops_workers.dialects.configs import LARGEST_DATA, ConfigObject, find_config, is_config, parse_config
from gitops_workers.dialects.document import MANIFEST_SUFFIXES, Load, flattened, load_file
from gitops_workers.dialects.fields import is_name, is_namespace

MOST_FILES = 20_000
_KEY_DEPTH = 3


class SecretFiles:
    """Port `Secrets` over a directory, and over the catalogue's ConfigMaps.

    A folder `namespace/name` wins over a manifest, a manifest over the catalogue. Values are read at every call
    (folders) or when a manifest file has changed, so that a rotated secret needs no restart; they stay in memory.
    """

    def __init__(self, root: Path | None, load: Load, catalogue: Callable[[], Iterable[ConfigObject]] = tuple) -> None:
        """`root` None means the catalogue alone. `catalogue` gives its objects; only ConfigMaps are taken of them."""
        self._root = root
        self._load = load
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._token: tuple[tuple[str, int, int, int], ...] = ()
        self._configs: tuple[ConfigObject, ...] = ()
        self._problems: tuple[Problem, ...] = ()

    def read(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """The object's data; None when it does not exist. A directory that cannot be read raises SourceUnavailable."""
        if not is_name(ref.name) or not is_namespace(ref.namespace):
            return None
        if self._root is not None:
            if (data := self._folder(self._root, ref)) is not None:
                return data
            if (config := find_config(self.objects(), ref)) is not None:
                return config.data
        if ref.kind != "ConfigMap":
            return None
        found = find_config(self._catalogue(), ref)
        return None if found is None else found.data

    def objects(self) -> tuple[ConfigObject, ...]:
        """All manifests of the directory: cluster and repository Secrets are found by their labels among them."""
        if self._root is None:
            return ()
        with self._lock:
            self._refresh(self._root)
            return self._configs

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with manifests of the directory; no message holds a value."""
        self.objects()
        with self._lock:
            return self._problems

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
        files = self._manifests(root)
        token = tuple((str(path), status.st_size, status.st_mtime_ns, status.st_ino) for path, status in files)
        if token == self._token and self._token:
            return
        configs: list[ConfigObject] = []
        problems: list[Problem] = []
        for path, _ in files:
            name = path.relative_to(root).as_posix()
            try:
                data = path.read_bytes()
            except OSError as error:
                raise _unavailable(root, error) from None
            documents, broken = load_file(self._load, data, name)
            # A key's file may well be no YAML at all; elsewhere that is a mistake.
            problems += [] if name.count("/") + 1 == _KEY_DEPTH else broken
            for document in filter(is_config, flattened(documents)):
                config, wrong = parse_config(document)
                problems += wrong
                if config is not None:
                    configs.append(config)
        self._token, self._configs, self._problems = token, tuple(configs), tuple(problems)

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
