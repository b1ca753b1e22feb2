"""What both dialects say about kustomize in the same words: patch targets and components."""

from __future__ import annotations

from gitops_workers.core.model import Pairs
from gitops_workers.dialects.document import Path
from gitops_workers.dialects.fields import Reading, Shape, pairs, shown


class Target(Shape):
    """The target of a patch; names are regular expressions, as kustomize reads them."""

    group: str = ""
    version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    label_selector: str = ""
    annotation_selector: str = ""

    def pairs(self) -> Pairs:
        """The fields that are set, in kustomize's spelling."""
        return pairs({key: value for key, value in self.model_dump(by_alias=True).items() if value})


def components(reading: Reading, path: Path, names: list[str]) -> tuple[str, ...]:
    """Kustomize components: folders of the same repository, relative to the source's path."""
    for index, name in enumerate(names):
        if not name or name.startswith("/") or "://" in name or any(ord(char) < 32 for char in name):
            reading.error((*path, index), f"found {shown(name)}, allowed is a relative folder of this repository.")
    return tuple(names)
