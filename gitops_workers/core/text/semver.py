"""Semantic versions and constraints as people write them in `targetRevision`, `ref.semver` and chart versions.

The rules are those of Masterminds/semver v3 (3.5), which Argo CD, Flux and Helm share, quirks included: `1.2` means
`1.2.x`, a prerelease is admitted only when one term of its AND group names a prerelease, and `~0.0.0` admits
everything. Read by a scanner and not by one regular expression: constraints come from manifests, and nested
repetition can be made to run for hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_VERSION = 256
"""Characters of a version; longer texts are no version (the library's own limit)."""
MAX_CONSTRAINT = 512
"""Characters of a constraint (the library's own limit)."""
MAX_GROUPS = 32
"""Alternatives (`||`) of a constraint (the library's own limit)."""
_UINT64 = 1 << 64

_SUFFIX = r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(rf"v?(?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?{_SUFFIX}", re.ASCII)
_PART = r"[0-9xX*|]+"
_PARTIAL = rf"v?(?P<major>{_PART})(?:\.(?P<minor>{_PART}))?(?:\.(?P<patch>{_PART}))?{_SUFFIX}"
_BLANK = r"[ \t\n\f\r]"
_TERM = re.compile(rf"(?P<op>!=|>=|=>|<=|=<|~>|=|>|<|~|\^)?{_BLANK}*{_PARTIAL}", re.ASCII)
_SEPARATOR = re.compile(rf"{_BLANK}*,?{_BLANK}*", re.ASCII)
_PLAIN = re.sub(r"\?P<\w+>", "?:", _PARTIAL)
# The blanks around a range belong to it, so a term right before one is refused, as in the library.
_HYPHEN = re.compile(rf"{_BLANK}*({_PLAIN}){_BLANK}+-{_BLANK}+({_PLAIN}){_BLANK}*", re.ASCII)
_WILD = ("x", "X", "*")

_Key = tuple[int, int, int, tuple[tuple[int, int, str], ...]]
_RELEASE = ((2, 0, ""),)


@dataclass(frozen=True, slots=True)
class Version:
    """A version and the text it was read from. `pre` is empty for a release; build metadata does not count."""

    major: int
    minor: int
    patch: int
    pre: str
    text: str

    @property
    def key(self) -> _Key:
        """What versions are ordered by (semver.org, item 11)."""
        return self.major, self.minor, self.patch, _precedence(self.pre)


def parse_version(text: str) -> Version | None:
    """Read a version, None when it is none. `v` in front and missing minor or patch are accepted, as in Git tags.

    >>> parse_version("v1.2").key == parse_version("1.2.0").key
    True
    """
    match = _VERSION.fullmatch(text) if len(text) <= MAX_VERSION else None
    return _version(match["major"], match["minor"], match["patch"], match["pre"], text) if match else None


@dataclass(frozen=True, slots=True)
class _Term:
    """One comparison. `parts` counts the numbers given: `*` 0, `1.x` 1, `1.2` 2, `1.2.3` 3."""

    op: str
    target: Version
    parts: int

    def holds(self, version: Version) -> bool:
        target, parts = self.target, self.parts
        key, bound = version.key, target.key
        pair, bound_pair = key[:2], bound[:2]
        match self.op:
            case "!=" if parts == 1:
                return version.major != target.major
            case "!=" if parts == 2:
                return pair != bound_pair or version.pre != target.pre
            case "!=":
                return key != bound
            case ">" if parts in (1, 2):
                return key[:parts] > bound[:parts]
            case ">":
                return key > bound
            case "<":
                return key < bound
            case ">=" | "=>":
                return key >= bound
            case "<=" | "=<" if parts == 3:
                return key <= bound
            case "<=" | "=<":
                return version.major <= target.major if parts == 1 else pair <= bound_pair
            case "^":
                return key >= bound and self._same_leading_number(version)
            case "" | "=" if parts == 3:
                return key == bound
            case _:  # "~", "~>", and a partial version without an operator
                if key < bound or parts == 1:
                    return key >= bound and version.major == target.major
                return pair == bound_pair or (parts in (0, 3) and bound[:3] == (0, 0, 0))

    def _same_leading_number(self, version: Version) -> bool:
        """Caret: the leftmost number that is not zero stays."""
        target = self.target
        if target.major > 0 or self.parts == 1 or version.major > 0:
            return version.major == target.major
        if target.minor > 0 or self.parts == 2 or version.minor > 0:
            return version.minor == target.minor
        return version.patch == target.patch


@dataclass(frozen=True, slots=True)
class Constraint:
    """Alternatives, each a group of terms that must all hold."""

    text: str
    groups: tuple[tuple[_Term, ...], ...]

    def admits(self, version: Version) -> bool:
        """Whether one group holds for the version."""
        return any(
            all(term.holds(version) for term in group)
            for group in self.groups
            if not version.pre or any(term.target.pre for term in group)
        )


def parse_constraint(text: str) -> Constraint | None:
    """Read a constraint, None when it is none.

    >>> parse_constraint(">=1.2, <2 || ~3.1").admits(parse_version("v1.9.0"))
    True
    """
    if len(text) > MAX_CONSTRAINT:
        return None
    parts = _HYPHEN.sub(r">= \1, <= \2 ", text).split("||")
    groups = [_group(part) for part in parts[: MAX_GROUPS + 1]]
    if len(groups) > MAX_GROUPS or not all(groups):
        return None
    return Constraint(text, tuple(group for group in groups if group))


def highest(constraint: Constraint, names: Iterable[str]) -> tuple[str, ...]:
    """The names of the highest admitted version: several when they differ only in spelling or build metadata.

    Names that are no versions are skipped. Empty when nothing is admitted.
    """
    versions = [version for name in names if (version := parse_version(name)) and constraint.admits(version)]
    best = max((version.key for version in versions), default=None)
    return tuple(version.text for version in versions if version.key == best)


def _version(major: str, minor: str | None, patch: str | None, pre: str | None, text: str) -> Version | None:
    numbers = (int(major), int(minor or 0), int(patch or 0))
    zeros = any(len(part) > 1 and part.isdigit() and part[0] == "0" for part in (pre or "").split("."))
    if zeros or max(numbers) >= _UINT64:
        return None
    return Version(*numbers, pre=pre or "", text=text)


def _precedence(pre: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers before words, numbers by value; a release after all of its prereleases."""
    if not pre:
        return _RELEASE
    return tuple(
        (0, int(part), "") if part.isdigit() and int(part) < _UINT64 else (1, 0, part) for part in pre.split(".")
    )


def _group(text: str) -> tuple[_Term, ...] | None:
    """The terms of one alternative, None when the text is not entirely terms."""
    terms: list[_Term] = []
    text = text.strip(" \t\n\f\r")
    position = 0
    while True:
        match = _TERM.match(text, position)
        term = _term(match) if match else None
        if match is None or term is None:
            return None
        terms.append(term)
        if match.end() == len(text):
            return tuple(terms)
        gap = _SEPARATOR.match(text, match.end())
        if gap is None or gap.end() == match.end():
            return None
        position = gap.end()


def _term(match: re.Match[str]) -> _Term | None:
    numbers = (match["major"], match["minor"], match["patch"])
    parts = next((index for index, part in enumerate(numbers) if part is None or part in _WILD), 3)
    given = [part for part in numbers[:parts] if part]
    if not all(part.isdigit() for part in given):
        return None
    major, minor, patch = [*given, "0", "0", "0"][:3]
    target = _version(major, minor, patch, match["pre"], match[0])
    return _Term(match["op"] or "", target, parts) if target else None
