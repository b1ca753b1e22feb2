"""Which files a helm source reads besides its chart: Argo CD's rules for `valueFiles` and `fileParameters`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.render.build_environment import AT_CLOSURE, expand, named
from gitops_workers.core.render.render_spec import HelmOptions
from gitops_workers.core.render.value_globs import expand as expand_glob
from gitops_workers.core.render.value_globs import fixed_part
from gitops_workers.core.source import repo_paths
from gitops_workers.core.text.globs import is_glob


def known_late(options: HelmOptions) -> bool:
    """Whether a file name depends on what is only known at the render."""
    texts = [*options.value_files, *(path for _, path in options.file_parameters)]
    return any(named(text) & set(AT_CLOSURE) for text in texts)


class Places(Protocol):
    """The files of a repository."""

    def __contains__(self, path: object) -> bool:
        """Whether there is such a file."""

    def below(self, folder: str) -> Iterable[str]:
        """The paths of all files below a folder, "" for the root."""


def value_files(path: str, options: HelmOptions, paths: Places, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the files in helm's order, the last one winning.

    Globs expand in place, in the order of `value_globs`; a file that is also written out stands where it is written;
    none stands twice.
    """
    entries = [_place(path, text, environment) for text in options.value_files]
    written = {entry for entry in entries if not is_glob(entry)}
    result: dict[str, None] = {}
    for entry, text in zip(entries, options.value_files, strict=True):
        if is_glob(entry):
            hits = expand_glob(entry, paths.below(fixed_part(entry)))
        else:
            hits = [entry] if entry in paths else []
        if not hits and not options.ignore_missing_value_files:
            raise RenderFailed(
                f"helm.valueFiles: {repo_paths.shown(text)} matches no file of the repository (looked for {entry}); "
                "correct it, or set ignoreMissingValueFiles: true"
            )
        result.update(dict.fromkeys(hit for hit in hits if hit == entry or hit not in written))
    return tuple(result)


def parameter_files(
    path: str, options: HelmOptions, paths: Places, environment: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return (parameter, file) of `fileParameters`."""
    result = []
    for name, text in options.file_parameters:
        place = _place(path, text, environment)
        if place not in paths:
            raise RenderFailed(f"helm.fileParameters: {repo_paths.shown(text)} does not exist (looked for {place})")
        result.append((name, place))
    return tuple(result)


def _place(path: str, text: str, environment: Mapping[str, str]) -> str:
    """A leading slash means the repository's root; everything else is relative to the chart."""
    if text.startswith("$") and not named(text.partition("/")[0]) & set(environment):
        raise RenderFailed(
            f"helm: {repo_paths.shown(text)} names another source of the application; several sources are not supported"
        )
    expanded = expand(text, environment)
    base = "" if expanded.startswith("/") else path
    return repo_paths.join(base, expanded.lstrip("/"), what="value file")
