"""Which files a Flux source leaves out: `.sourceignore` files and `spec.ignore`, in gitignore's syntax.

The last pattern that matches a file, or a folder it is in, decides. Patterns come from repositories, so
`core.text.globs` matches them, which no pattern can slow down; the regular expressions that libraries build of them can
be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitops_workers.core.text.globs import reached_parts

VERSION_CONTROL = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n"
OTHERS = (
    "*.jpg\n*.jpeg\n*.gif\n*.png\n*.wmv\n*.flv\n*.tar.gz\n*.zip\n"
    ".github/\n.circleci/\n.travis.yml\n.gitlab-ci.yml\nappveyor.yml\n.drone.yml\ncloudbuild.yaml\ncodeship-*.yml\n"
    "**/.goreleaser.yml\n**/.sops.yaml\n**/.flux.yaml\n"
)
"""Flux' defaults besides version control; any pattern of the user's own replaces these."""

PATHS = 100_000
"""Answers kept: about 100 bytes each; the matching they spare takes 0.2 ms each."""

LINES = 10_000
"""Patterns of one file; more are no longer a list that a person wrote."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line: the folder it speaks about, its parts, and its signs."""

    domain: tuple[str, ...]
    parts: tuple[str, ...]
    anywhere: bool
    folders_only: bool
    negated: bool

    def matches(self, path: Sequence[str]) -> bool:
        """Whether it matches this file or a folder it is in."""
        size = len(self.domain)
        if tuple(path[:size]) != self.domain:
            return False
        rest = list(path[size:])
        pattern = ["**", *self.parts] if self.anywhere else list(self.parts)
        # `reached_parts` yields how many leading parts match; all but the last are folders.
        return any(count > 0 and (count < len(rest) or not self.folders_only) for count in reached_parts(pattern, rest))


class Ignore:
    """The patterns of one source."""

    def __init__(self, files: Iterable[tuple[str, str]], spec: str | None) -> None:
        """`files`: folder and text of each `.sourceignore`; `spec`: the manifest's own patterns, None for none."""
        own = [pattern for folder, text in sorted(files) for pattern in parse(text, folder)]
        own += parse(spec or "", "")
        self._patterns = [*parse(VERSION_CONTROL + ("" if own or spec is not None else OTHERS), ""), *own][::-1]
        self._known: dict[str, bool] = {}

    def hides(self, path: str) -> bool:
        """Whether the file is left out of the source. Remembered: all applications of a repository ask alike."""
        known = self._known.get(path)
        if known is None:
            known = self._decide(path)
            if len(self._known) < PATHS:
                self._known[path] = known
        return known

    def _decide(self, path: str) -> bool:
        parts = path.split("/")
        return next((not pattern.negated for pattern in self._patterns if pattern.matches(parts)), False)


def parse(text: str, folder: str) -> list[Pattern]:
    """Return the patterns of a text that stands in a folder ("" is the root)."""
    domain = tuple(folder.split("/")) if folder else ()
    patterns = []
    for raw in text.splitlines()[:LINES]:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        negated = line.startswith("!")
        line = line.removeprefix("!")
        folders_only = line.endswith("/")
        body = line.rstrip("/")
        anywhere = "/" not in body
        parts = tuple(part for part in body.split("/") if part)
        if parts:
            patterns.append(Pattern(domain, parts, anywhere, folders_only, negated))
    return patterns
