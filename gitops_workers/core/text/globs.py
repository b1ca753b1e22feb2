"""Globs of Argo CD: a directory source's `include` and `exclude`, helm's `valueFiles`, the rules of an AppProject.

Patterns and paths are both written by tenants, so no pattern may cost more than linear time per star: every star takes
the first match that fits and never comes back (possible because a star is followed by text of fixed length).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from gitops_workers.core.errors import RenderFailed

MAXIMUM = 1024
"""Characters of one pattern: nobody writes longer ones."""

ALTERNATIVES = 256
"""Patterns that the braces of one pattern may stand for."""

_TOKEN = re.compile(r"\\(.)|\[([!^]?)([^\]]+)\]|(\*+)|(\?)|(.)", re.DOTALL)


def is_glob(text: str) -> bool:
    """Whether a value file entry is a pattern rather than a name; braces alone make none (Argo CD's `isGlobPath`)."""
    return any(char in text for char in "*?[")


def matches_directory(pattern: str, path: str) -> bool:
    """Match as Argo CD's directory source: `*` also matches `/`, since it compiles the pattern without separators.

    >>> matches_directory("{config.json,env-*}", "env-a/x.yaml")
    True
    """
    return any(_flat(choice, ".").fullmatch(path) for choice in alternatives(pattern))


def matches_text(pattern: str, text: str) -> bool:
    """Match as the globs of an AppProject for names, servers and namespaces, which have no separators either.

    >>> matches_text("https://{a,b}.*", "https://b.example"), matches_text("team-?", "team-10")
    (True, False)
    """
    return matches_directory(pattern, text)


def matches_path(pattern: str, path: str) -> bool:
    """Match as helm value files: `*` stays in its folder, a `**` between slashes goes down.

    >>> matches_path("env/**/values-*.yaml", "env/values-a.yaml"), matches_path("*.yaml", "a/b.yaml")
    (True, False)
    """
    parts = path.split("/")
    return any(len(parts) in reached_parts(choice.split("/"), parts) for choice in alternatives(pattern))


def matches_separated(pattern: str, text: str) -> bool:
    """Match as `sourceRepos`: `*` and `?` stay between slashes, `**` does not, wherever it stands.

    >>> matches_separated("https://h/*/app", "https://h/a/app"), matches_separated("https://h**", "https://h/a/app")
    (True, True)
    """
    masks: dict[str, int] = defaultdict(int)
    for index, char in enumerate(text):
        masks[char] |= 1 << index
    return any(_reaches_end(choice, text, masks) for choice in alternatives(pattern))


def glob_problem(pattern: str) -> str:
    """What is wrong with a pattern, as a sentence; "" when nothing is. Argo CD lets a broken one fit nothing.

    >>> glob_problem("{a,b"), glob_problem("team-*")
    ('the glob has a brace that is not closed.', '')
    """
    plain = re.sub(r"\\.|\[[^\]]+\]", "", pattern)
    depth = 0
    for char in plain:
        depth += (char == "{") - (char == "}")
        if depth < 0:
            break
    if depth:
        return f"the glob has a brace that is not {'closed' if depth > 0 else 'opened'}."
    if "[" in plain:
        return "the glob has a bracket that is not closed."
    try:
        for choice in alternatives(pattern):
            _flat(choice, ".")
    except RenderFailed as error:
        return f"{error}."
    return ""


def reached_parts(pattern: list[str], path: list[str]) -> list[int]:
    """Return how many leading parts of the path the whole pattern can match; a part `**` matches any number of them."""
    counts = []
    reached = _with_empty_stars({0}, pattern)
    for count, part in enumerate(path, 1):
        following = set()
        for place in reached:
            if place < len(pattern):
                if pattern[place] == "**":
                    following.add(place)
                elif _flat(pattern[place], "[^/]").fullmatch(part):
                    following.add(place + 1)
        reached = _with_empty_stars(following, pattern)
        if len(pattern) in reached:
            counts.append(count)
    return counts


def _with_empty_stars(places: set[int], pattern: list[str]) -> set[int]:
    result = set(places)
    for place in sorted(places):
        while place < len(pattern) and pattern[place] == "**":
            place += 1  # noqa: PLW2901 - walks on from each place
            result.add(place)
    return result


def _reaches_end(pattern: str, text: str, masks: Mapping[str, int]) -> bool:
    """Walk with all places at once, as bits: bit n says that the pattern so far can match the first n characters."""
    places = 1
    for escaped, negated, members, stars, question, char in _TOKEN.findall(pattern):
        if stars:
            places = _spread(places, text, across=len(stars) > 1)
            continue
        if members:
            one = _flat(f"[{negated}{members}]", ".")
            fits = sum(mask for sign, mask in masks.items() if one.fullmatch(sign))
        else:
            fits = ~masks.get("/", 0) & (1 << len(text)) - 1 if question else masks.get(escaped or char, 0)
        places = (places & fits) << 1
        if not places:
            return False
    return bool(places >> len(text) & 1)


def _spread(places: int, text: str, *, across: bool) -> int:
    """Where a star can lead from these places. `across`: over slashes, too."""
    reached = 0
    while places:
        first = (places & -places).bit_length() - 1
        end = len(text) if across else text.find("/", first)
        past = 1 << (len(text) if end < 0 else end) + 1
        reached |= past - (1 << first)
        places &= -past
    return reached


@lru_cache(maxsize=512)
def alternatives(pattern: str) -> tuple[str, ...]:
    """The patterns without braces that this one stands for."""
    if len(pattern) > MAXIMUM:
        raise RenderFailed(f"glob {pattern[:80]!r}... is longer than {MAXIMUM} characters")
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        text = waiting.pop()
        inner = re.search(r"(?<!\\)\{([^{}]*)\}", text)
        if inner is None:
            done.append(text)
        else:
            waiting += [text[: inner.start()] + choice + text[inner.end() :] for choice in inner[1].split(",")]
        if len(done) + len(waiting) > ALTERNATIVES:
            raise RenderFailed(f"glob {pattern[:80]!r} stands for more than {ALTERNATIVES} patterns")
    return tuple(done)


@lru_cache(maxsize=2048)
def _flat(pattern: str, one: str) -> re.Pattern[str]:
    pieces: list[list[str]] = [[]]
    for escaped, negated, members, stars, question, char in _TOKEN.findall(pattern):
        if stars:
            pieces.append([])
        elif members:
            inner = members.replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            pieces[-1].append(f"[{'^' if negated else ''}{inner}]")
        else:
            pieces[-1].append(one if question else re.escape(escaped or char))
    texts = ["".join(piece) for piece in pieces]
    middle = "".join(f"(?>{one}*?{text})" for text in texts[1:-1])
    try:
        return re.compile(texts[0] + (f"{middle}{one}*{texts[-1]}" if len(texts) > 1 else ""), re.DOTALL)
    except re.error as error:
        raise RenderFailed(f"glob {pattern[:80]!r} cannot be read: {error.msg}") from None
