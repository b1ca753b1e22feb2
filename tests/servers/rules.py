"""Users' rules for tests: the languages in this process, where no loop has to be stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed.rules import Rules


class InProcess:
    """A `frames.Runner` without a child."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def run(
        self,
        job: str,
        request: Mapping[str, Any],
        blobs: Sequence[bytes] = (),
        *,
        what: str,
        seconds: float = 0.0,  # noqa: ARG002 - the port's
    ) -> tuple[Any, bytes]:
        self.jobs.append(job)
        try:
            return Rules().run(job, request, list(blobs))
        except RenderFailed as error:
            raise RenderFailed(f"{what}: {error}") from None


def load_yaml(data: bytes, name: str) -> Any:
    documents, _ = InProcess().run("documents", {}, [data], what=name)
    return documents[0] if documents else None
