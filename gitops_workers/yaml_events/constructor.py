"""The constructor: libyaml events to values, within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from gitops_workers.core.errors import RenderFailed, UnsafeContent
from gitops_workers.core.text import yaml_scalars
from gitops_workers.core.text.yaml_scalars import resolve
from gitops_workers.yaml_events import json_text

Place = tuple[str | int, ...]
_Parser: Any = yaml._yaml.CParser  # noqa: SLF001 - the events alone, without PyYAML's constructor
_MERGE = "<<"
_MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may hold; a step over any of them is an error, never a cut."""

    size: int = 4 << 20
    """Bytes of one file: what `kubectl apply` could send is under 3 MiB; parsing takes 0.2 s per MiB."""
    depth: int = 100
    """Nested collections: libyaml takes quadratic time in depth, and Kubernetes objects stay under 40."""
    nodes: int = 1_000_000
    """Values after aliases are expanded, and one more per 64 characters: as many as 20 MB of YAML have, in 500 MB."""
    brackets: int = 250_000
    """`[` and `{` of one YAML file: seconds to read, and nobody writes a tenth of it (JSON files are read faster)."""
    documents: int = 10_000
    """Documents of one file: no application has as many objects."""


class BadYaml(RenderFailed):
    """Text that is no YAML, or no YAML that JSON can hold. `line` counts from 1."""

    def __init__(self, message: str, line: int = 0) -> None:
        """The message names the line itself, for whoever shows only that."""
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


class YamlBomb(UnsafeContent):
    """Text that goes over a limit."""

    def __init__(self, message: str, line: int = 0) -> None:
        """As for BadYaml."""
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its value, its first line, and the line of every value by its path in the document."""

    value: Any = field(repr=False)
    line: int = 1
    lines: dict[Place, int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A key that stood in its mapping before, and its line in the text."""

    key: str
    line: int


_LIMITS = Limits()


def load_documents(data: bytes, *, limits: Limits = _LIMITS, repeats: list[Repeat] | None = None) -> list[Any]:
    """Return the values of all documents that are not empty. Raises BadYaml (with a line) and YamlBomb.

    Where `repeats` is given, a key that stands twice in a mapping is added to it, and the last one wins, as in helm,
    kubectl and Argo CD.
    """
    _check_size(data, limits)
    if data[:1] in (b"{", b"["):  # JSON: 20 times faster, and whatever is doubtful is read again as YAML
        value = json_text.load(data, depth=limits.depth, nodes=limits.nodes)
        if value is not json_text.DOUBTFUL:
            return [value]
    _check_brackets(data, limits)
    constructor = _Constructor(limits, repeated=repeats is not None)
    found = [document.value for document in constructor.read(data) if document.value is not None]
    if repeats is not None:
        repeats += constructor.repeats
    return found


def load_positions(data: bytes, *, limits: Limits = _LIMITS, repeated: bool = False) -> list[Document]:
    """Return all documents that are not empty with their lines. Raises as `load_documents`.

    With `repeated` a key may stand twice in a mapping, and the last one wins, as in kubectl.
    """
    _check_size(data, limits)
    _check_brackets(data, limits)
    return [doc for doc in _Constructor(limits, positions=True, repeated=repeated).read(data) if doc.value is not None]


def _check_size(data: bytes, limits: Limits) -> None:
    if len(data) > limits.size:
        raise BadYaml(f"{len(data):,} bytes are over the limit of {limits.size:,} bytes for one file; split it")


def _check_brackets(data: bytes, limits: Limits) -> None:
    if data.count(b"[") + data.count(b"{") > limits.brackets:
        raise YamlBomb(f"more than {limits.brackets:,} brackets; split the file")


class _Frame:
    """An open collection: what it holds so far, and for a mapping whether the next value is a key."""

    __slots__ = ("anchor", "awaits_key", "begun", "explicit", "key", "merging", "place", "value")

    def __init__(self, value: Any, anchor: str | None, begun: int, place: Place) -> None:
        self.value = value
        self.anchor = anchor
        self.begun = begun
        self.place = place
        self.key = ""
        self.awaits_key = type(value) is dict
        self.merging = False
        self.explicit: set[str] = set()


class _Constructor:
    def __init__(self, limits: Limits, *, positions: bool = False, repeated: bool = False) -> None:
        self._limits = limits
        self._repeated = repeated
        self._positions = positions
        self.repeats: list[Repeat] = []
        self._nodes = 0
        self._line = 0

    def read(self, data: bytes) -> list[Document]:
        parser: Any = _Parser(data)
        documents: list[Document] = []
        event: Any
        try:
            while (event := parser.get_event()) is not None:
                line = event.start_mark.line
                if isinstance(event, DocumentStartEvent):
                    if event.version not in (None, (1, 1)):
                        raise BadYaml("%YAML other than 1.1 is not what Kubernetes reads", line + 1)
                    documents.append(self._document(parser, line))
                    if len(documents) > self._limits.documents:
                        raise YamlBomb(f"more than {self._limits.documents:,} documents; split the file")
        except yaml.MarkedYAMLError as error:
            marks = [mark.line + 1 for mark in (error.problem_mark, error.context_mark) if mark is not None]
            raise BadYaml(f"no YAML: {error.problem}", marks[0] if marks else 0) from None
        except yaml.YAMLError as error:  # the reader's: no mark, and its text quotes the byte
            raise BadYaml(f"no YAML: {getattr(error, 'reason', 'unreadable text')}; is it UTF-8 text?") from None
        except yaml_scalars.ScalarRefused as error:
            raise BadYaml(str(error), self._line) from None
        return documents

    def _document(self, parser: Any, first: int) -> Document:
        anchors: dict[str, tuple[Any, int] | None] = {}
        stack: list[_Frame] = []
        event: Any
        lines: dict[Place, int] = {}
        root: Any = None
        get, positions = parser.get_event, self._positions
        while (kind := type(event := get())) is not DocumentEndEvent:
            self._line = event.start_mark.line + 1
            if kind is ScalarEvent:
                text = event.value
                value: Any = resolve(text) if event.tag is None and event.implicit[0] else self._quoted(event)
                cost = 1 + len(text) // 64
                if event.anchor:
                    anchors[event.anchor] = (value, cost)
                if stack and (frame := stack[-1]).awaits_key:
                    self._key(frame, value, event)
                    if positions:  # the key's line, where a value stands below its key
                        lines.setdefault(_place(frame), self._line)
                    continue
                self._spend(cost)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, stack, anchors)
                if positions:
                    lines.setdefault(stack[-1].place, self._line)
                continue
            elif kind is AliasEvent:
                value = self._alias(event, anchors)
            else:  # the end of a mapping or sequence: libyaml has no other event inside a document
                closed = stack.pop()
                value = closed.value
                if closed.anchor:
                    anchors[closed.anchor] = (value, self._nodes - closed.begun)
            if not stack:
                root = value
                if positions:
                    lines.setdefault((), self._line)
                continue
            if positions:
                lines.setdefault(_place(stack[-1]), self._line)
            self._put(stack[-1], value)
        return Document(root, lines.get((), first + 1), lines)

    def _open(self, event: Any, stack: list[_Frame], anchors: dict[str, tuple[Any, int] | None]) -> None:
        if len(stack) >= self._limits.depth:
            raise YamlBomb(f"more than {self._limits.depth} collections nested in each other", self._line)
        mapping = isinstance(event, MappingStartEvent)
        if stack and stack[-1].awaits_key:
            raise BadYaml("a key is a collection; JSON has only text keys", self._line)
        self._spend(1)
        place = _place(stack[-1]) if stack and self._positions else ()
        stack.append(_Frame({} if mapping else [], event.anchor, self._nodes - 1, place))
        if event.anchor:
            anchors[event.anchor] = None  # open: an alias to it now would be recursive

    def _alias(self, event: AliasEvent, anchors: dict[str, tuple[Any, int] | None]) -> Any:
        if event.anchor not in anchors:
            raise BadYaml(f"alias *{event.anchor} has no anchor before it", self._line)
        known = anchors[event.anchor]
        if known is None:
            raise BadYaml(f"alias *{event.anchor} stands inside its own anchor", self._line)
        self._spend(known[1])
        return known[0]

    def _spend(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.nodes:
            raise YamlBomb(f"more than {self._limits.nodes:,} values (aliases expanded); split the file", self._line)

    def _quoted(self, event: ScalarEvent) -> yaml_scalars.Scalar:
        if event.tag is None or event.tag == "!":
            return str(event.value)
        return yaml_scalars.tagged(event.tag, event.value)

    def _key(self, frame: _Frame, value: yaml_scalars.Scalar, event: ScalarEvent) -> None:
        frame.awaits_key = False
        if value == _MERGE and (event.implicit[0] or event.tag == _MERGE_TAG):
            frame.merging = True
            return
        key = value if type(value) is str else yaml_scalars.key(value)
        if key in frame.explicit:
            if not self._repeated:
                what = f"key {key[:80]!r} stands twice in one mapping"
                raise BadYaml(f"{what}; only one could win, so keep one", self._line)
            self.repeats.append(Repeat(key[:80], self._line))
        frame.explicit.add(key)
        frame.key = key

    def _put(self, frame: _Frame, value: Any) -> None:
        held = frame.value
        if type(held) is list:
            held.append(value)
            return
        if frame.awaits_key:  # only an alias gets here
            raise BadYaml("a key is an alias; write the text", self._line)
        frame.awaits_key = True
        if frame.merging:
            frame.merging = False
            self._merge(held, value)
        else:
            held[frame.key] = value

    def _merge(self, target: dict[str, Any], value: Any) -> None:
        sources = value[::-1] if isinstance(value, list) else [value]  # of several, the first wins
        for source in sources:
            if not isinstance(source, dict):
                raise BadYaml("`<<` needs a mapping or a list of mappings", self._line)
            self._spend(len(source))
            target.update(source)


def _place(frame: _Frame) -> Place:
    if isinstance(frame.value, list):
        return (*frame.place, len(frame.value))
    return (*frame.place, _MERGE if frame.merging else frame.key)
