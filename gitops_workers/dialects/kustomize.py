"""What both dialects say about kustomize in the same words: patch targets and components."""

from __future__ import annotations

import re
from typing import Annotated

from gitops_workers.core.render.render_spec import Pairs
from gitops_workers.dialects.document import Path
from gitops_workers.dialects.field_rules import matching
from gitops_workers.dialects.fields import ManifestModel, ParseContext, pairs
from gitops_workers.dialects.messages import shown


class Target(ManifestModel):
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


_SAFE = re.compile(r"(?:[^()*+?{}\\\[\]]|\\.|\.[*+?]|\[[^\[\]]+\][*+?]?|\((?!\?)|\)(?![*+?{])){0,256}")
_QUANTIFIERS = 3
"""So many in one pattern cannot cost a worker its time: Python's expressions backtrack, Go's do not."""


def _is_safe(pattern: str) -> bool:
    """Whether a pattern is one that names need: text, `.*`, alternatives, sets of characters."""
    if _SAFE.fullmatch(pattern) is None or sum(pattern.count(sign) for sign in "*+?") > _QUANTIFIERS:
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


Pattern = Annotated[str, matching(_is_safe, f"a pattern of text, '.*' (at most {_QUANTIFIERS}), '|' and '[...]'")]
Selector = Annotated[str, matching(lambda text: len(text) <= 1024, "a label selector of at most 1,024 characters")]


class SafeTarget(Target):
    """A target whose patterns are evaluated in a worker, not in the sandbox."""

    group: Pattern = ""
    version: Pattern = ""
    kind: Pattern = ""
    name: Pattern = ""
    namespace: Pattern = ""
    label_selector: Selector = ""
    annotation_selector: Selector = ""


def components(reading: ParseContext, path: Path, names: list[str]) -> tuple[str, ...]:
    """Kustomize components: folders of the same repository, relative to the source's path."""
    for index, name in enumerate(names):
        if not name or name.startswith("/") or "://" in name or any(ord(char) < 32 for char in name):
            reading.error((*path, index), f"found {shown(name)}, allowed is a relative folder of this repository.")
    return tuple(names)
