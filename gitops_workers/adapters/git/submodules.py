"""`.gitmodules`: which submodules a commit declares. Git reads its own kind of file."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_workers.adapters.git.command import GitProgram
from gitops_workers.adapters.git.secret_files import SecretFiles
from gitops_workers.core.errors import RenderFailed


def declared_urls(git: GitProgram, text: str, timeout: float) -> Mapping[str, str]:
    """Path -> URL as written. Raises RenderFailed when git cannot read the text."""
    with SecretFiles() as files:
        arguments = ["config", "--file", files.add(text), "--null", "--get-regexp", r"^submodule\..*\.(path|url)$"]
        finished = git.run(arguments, timeout=timeout, limit=1 << 20, descriptors=files.descriptors)
    if finished.status > 1:  # 1: no such entry
        raise RenderFailed(".gitmodules cannot be read by git; correct it")
    found: dict[str, dict[str, str]] = {}
    for line in finished.output.decode("utf-8", "replace").split("\0")[:-1]:
        key, _, value = line.partition("\n")
        name, _, field = key.removeprefix("submodule.").rpartition(".")
        found.setdefault(name, {})[field] = value
    return {entry["path"]: entry["url"] for entry in found.values() if "path" in entry and "url" in entry}
