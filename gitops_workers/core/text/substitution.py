"""Flux post-build variables: bash-like expressions in a text (fluxcd/pkg envsubst, kustomize-controller 1.9).

Only `${...}` is an expression, `$name` is not; `$$` is a dollar sign. Operators on a variable `v`:

    ${v}  ${#v} length in bytes   ${v^} ${v^^} ${v,} ${v,,} case
    ${v:2} ${v:2:3} ${v:-2...}    bytes from, and how many; text that is no number leaves the value alone
    ${v#g} ${v##g} ${v%g} ${v%%g} cut the shortest or longest match of a glob from the front or the end
    ${v/a/b} ${v//a/b} ${v/#a/b} ${v/%a/b}   replace text: first, all, prefix, suffix
    ${v=d} ${v:=d} ${v:-d}        d when v is unset or empty; `:?` and `:+` mean the same here, as in Flux

Values never reach an error message: they may be secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from gitops_workers.core.errors import RenderFailed

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_NUMBER = re.compile(r"[-+]?[0-9]+")
_OPERATORS = (
    (":", re.compile(r":[=\-?+]")),
    ("=", re.compile(r"=")),
    ("^,", re.compile(r"[\^,]{1,2}")),
    ("/", re.compile(r"/[/#%]?")),
    ("#", re.compile(r"##?")),
    ("%", re.compile(r"%%?")),
)
_CLASS = re.compile(r"\^?(?:(?:\\.|[^\]\\-])(?:-(?:\\.|[^\]\\-]))?)+\]")
_DEPTH = 32
"""Defaults nested in defaults: enough for any text people write, and no recursion error for the others."""


class SubstitutionFailed(RenderFailed):
    """An expression that cannot be parsed, or a variable that is not set."""


def substitute(text: str, variables: Mapping[str, str], *, strict: bool = True) -> str:
    """Replace every expression. `strict`: an unset variable without a default is an error (Flux 2.9), else empty."""
    for name in variables:
        if not NAME.fullmatch(name):
            raise SubstitutionFailed(f"variable name {name[:80]!r} is invalid: use letters, digits and underscores")
    if "$" not in text:
        return text
    values = {name: value.replace("\n", "") for name, value in variables.items()}
    return _Expander(text, values, strict).run()


class _Expander:
    def __init__(self, text: str, values: Mapping[str, str], strict: bool) -> None:
        self._text = text
        self._values = values
        self._strict = strict
        self._at = 0
        self._depth = 0

    def run(self) -> str:
        parts: list[str] = []
        while (found := self._text.find("$", self._at)) >= 0:
            parts.append(self._text[self._at : found])
            follower = self._text[found + 1 : found + 2]
            self._at = found + 2
            if follower == "{":
                parts.append(self._expression())
            elif follower == "$":
                parts.append("$")
            else:
                parts.append("$")
                self._at = found + 1
        return "".join([*parts, self._text[self._at :]])

    def _expression(self) -> str:
        """Evaluate from after `${` to after its `}`."""
        self._depth += 1
        if self._depth > _DEPTH:
            raise self._error("expressions are nested too deep")
        if self._skip("#"):
            value = str(len(self._value(self._name()).encode()))
            self._close()
        else:
            name = self._name()
            value = self._operate(name, self._operator(name))
        self._depth -= 1
        return value

    def _operator(self, name: str) -> str:
        rest = self._peek()
        for starts, pattern in _OPERATORS:
            if rest and rest in starts:
                if match := pattern.match(self._text, self._at):
                    self._at = match.end()
                    return match[0]
                break
        if rest == ":":
            self._at += 1
            return ":"
        if rest == "}":
            return ""
        raise self._error(f"missing closing brace after {name!r}")

    def _operate(self, name: str, operator: str) -> str:
        match operator:
            case "":
                self._close()
                return self._value(name)
            case "=" | ":=" | ":-" | ":?" | ":+":
                return self._default(name)
            case ":":
                return self._substring(name)
            case "/" | "//" | "/#" | "/%":
                return self._replace(name, operator)
            case "#" | "##" | "%" | "%%":
                pattern = self._argument("}")
                self._close()
                return _cut(self._value(name), pattern, operator)
        self._close()
        return _cased(self._value(name), operator)

    def _default(self, name: str) -> str:
        parts = []
        while self._peek() != "}":
            parts.append(self._argument("}"))
        self._close()
        return self._values.get(name, "") or "".join(parts)

    def _substring(self, name: str) -> str:
        arguments = [self._argument(":}")]
        if self._skip(":"):
            while self._skip(":"):
                pass
            arguments.append(self._argument("}"))
        self._close()
        try:
            return _slice(self._value(name).encode(), *arguments).decode()
        except UnicodeDecodeError:
            raise self._error(f"the offsets for {name!r} cut a character in half") from None

    def _replace(self, name: str, operator: str) -> str:
        old = "" if self._peek() == "/" else self._argument("/", escapes=True)
        if not self._skip("/"):
            raise self._error(f"no second '/' after {name!r}")
        while self._skip("/"):
            pass
        new = None if self._peek() == "}" else self._argument("}", escapes=True)
        self._close()
        return _replaced(self._value(name), operator, old, new)

    def _argument(self, ends: str, *, escapes: bool = False) -> str:
        """Read one argument: an expression, or text up to one of `ends` or the next expression."""
        if self._text.startswith("${", self._at):
            self._at += 2
            return self._expression()
        parts: list[str] = []
        while self._at < len(self._text):
            char, pair = self._text[self._at], self._text[self._at : self._at + 2]
            if escapes and pair in ("$$", "\\/", "\\\\"):
                parts.append(pair[1])
                self._at += 2
            elif char in ends or pair == "${":
                break
            else:
                parts.append(char)
                self._at += 1
        if not parts:
            raise self._error("an argument is missing")
        return "".join(parts)

    def _value(self, name: str) -> str:
        if name not in self._values and self._strict:
            raise SubstitutionFailed(
                f"variable {name!r} is not set: set it in postBuild, give a default as in ${{{name}:=default}}, "
                f"or write $${{{name}}} where the text itself is meant"
            )
        return self._values.get(name, "")

    def _name(self) -> str:
        end = self._at
        while end < len(self._text) and (
            self._text[end].isalpha() or self._text[end].isdigit() or self._text[end] == "_"
        ):
            end += 1
        if end == self._at:
            raise self._error("no variable name after '${'")
        name, self._at = self._text[self._at : end], end
        return name

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self._at += 1
        return True

    def _close(self) -> None:
        if not self._skip("}"):
            raise self._error("missing closing brace")

    def _error(self, what: str) -> SubstitutionFailed:
        line = self._text.count("\n", 0, self._at) + 1
        return SubstitutionFailed(f"line {line}: {what}; write $$ for a dollar sign that is meant as such")


def _cased(value: str, operator: str) -> str:
    match operator:
        case "^":
            return value[:1].upper() + value[1:]
        case "^^":
            return value.upper()
        case ",":
            return value[:1].lower() + value[1:]
        case ",,":
            return value.lower()
    return value  # `^,` parses in Flux and does nothing


def _slice(value: bytes, offset: str, length: str | None = None) -> bytes:
    if not _NUMBER.fullmatch(offset) or (length is not None and not _NUMBER.fullmatch(length)):
        return value
    begin = int(offset)
    if begin < 0:
        begin = max(len(value) + begin, 0)
    if length is None:
        return value[begin:]
    count = int(length)
    end = begin + count if count >= 0 else len(value) + count
    return value[begin : max(end, begin)]


def _replaced(value: str, operator: str, old: str, new: str | None) -> str:
    match operator:
        case "/#":
            return value if new is None or not value.startswith(old) else new + value[len(old) :]
        case "/%":
            return value if new is None or not value.endswith(old) else value[: len(value) - len(old)] + new
    return value.replace(old, new or "", -1 if operator == "//" else 1)


def _cut(value: str, pattern: str, operator: str) -> str:
    """Cut from the front; from the end the same on the reversed texts, as Flux does."""
    backwards = operator[0] == "%"
    text = value[::-1] if backwards else value
    glob = _glob(pattern[::-1] if backwards else pattern)
    if glob is None:
        return value
    sizes = range(len(text), 0, -1) if len(operator) == 2 else range(1, len(text) + 1)
    size = next((size for size in sizes if glob.fullmatch(text, 0, size)), 0)
    return text[size:][::-1] if backwards else text[size:]


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str] | None:
    """`*`, `?`, `[a-z]`, `[^a]` and backslash; None for a pattern that Go calls bad."""
    pieces: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            pieces.append([])
        elif char == "?":
            pieces[-1].append(".")
        elif char == "[":
            match = _CLASS.match(pattern, at)
            if match is None:
                return None
            pieces[-1].append("[" + match[0].replace("[", "\\["))
            at = match.end()
        elif char == "\\":
            if at == len(pattern):
                return None
            pieces[-1].append(re.escape(pattern[at]))
            at += 1
        else:
            pieces[-1].append(re.escape(char))
    texts = ["".join(piece) for piece in pieces]
    # A star takes the first match that fits and never comes back: linear, whatever the pattern.
    middle = "".join(f"(?>.*?{text})" for text in texts[1:-1])
    try:
        return re.compile(texts[0] + (f"{middle}.*{texts[-1]}" if len(texts) > 1 else ""), re.DOTALL)
    except re.error:
        return None
