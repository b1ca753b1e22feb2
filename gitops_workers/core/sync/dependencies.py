"""Which application waits for which: the value, the names it is written with, cycles.

Whether a dependency is ready now is `core.sync.readiness`. Ids here are plain text, because the model is built on this.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import overload

SHOWN = 8
"""Members of a cycle that its message names; a longer one says how many it leaves out."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """An application that has to be ready first.

    `ready` is a CEL expression that replaces the built-in rule (Flux `readyExpr`). `problem` says why the name means no
    application; whoever has such a dependency waits until the catalogue changes.
    """

    id: str
    ready: str = ""
    problem: str = ""


def by_name(ids: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The ids that a bare name may mean."""
    named: dict[str, list[str]] = defaultdict(list)
    for identity in sorted(ids):
        named[identity.rpartition("/")[2]].append(identity)
    return named


def resolve(dependency: Dependency, own: str, named: Mapping[str, Sequence[str]]) -> Dependency:
    """The dependency with its id, or with what is wrong with its name.

    A bare name never means its own application while another one has it, too.
    """
    name = dependency.id
    found = named.get(name.rpartition("/")[2], ())
    if "/" in name:
        known = name in found
        return dependency if known else replace(dependency, problem="it is not declared: add it or correct the name")
    meant = [identity for identity in found if identity != own] or list(found)
    if len(meant) == 1:
        return replace(dependency, id=meant[0])
    if not meant:
        return replace(dependency, problem="no application has this name: add it or correct the name")
    several = " and ".join(meant[:SHOWN])
    return replace(dependency, problem=f"the name means {several}: write the id of one of them")


def dependants(dependencies: Mapping[str, Iterable[Dependency]]) -> dict[str, list[str]]:
    """For each application that somebody waits for: who, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for identity, wanted in dependencies.items():
        for dependency in wanted:
            found[dependency.id].add(identity)
    return {identity: sorted(who) for identity, who in found.items()}


class Cycle(Sequence[str]):
    """A cycle as one of its members sees it: it begins and ends with that member.

    The members share one tuple: a cycle of 20,000 that each of them held for itself would take 3 GB.
    """

    def __init__(self, ring: tuple[str, ...], start: int) -> None:
        """`ring` names each member once, in order; `start` is the place of the one that sees it."""
        self._ring = ring
        self._start = start

    def __len__(self) -> int:
        return len(self._ring) + 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        places = range(self._start, self._start + len(self))[index]
        if isinstance(places, range):
            return tuple(self._ring[place % len(self._ring)] for place in places)
        return self._ring[places % len(self._ring)]


def cycles(dependencies: Mapping[str, Iterable[str]]) -> dict[str, Cycle]:
    """For every member of a cycle one that goes through it, beginning and ending with it.

    An application that only depends on a member is none: it waits, and goes on when the cycle is broken.
    """
    graph = {one: {other for other in others if other in dependencies} for one, others in dependencies.items()}
    knot = _reversed(_stripped(_reversed(_stripped(graph))))
    found: dict[str, Cycle] = {}
    for start in sorted(knot):
        ring = () if start in found else _way_back(start, knot)
        for index, member in enumerate(ring):
            found.setdefault(member, Cycle(ring, index))
    return found


def shown(cycle: Sequence[str]) -> str:
    """The cycle in one line.

    >>> shown(["a", "b", "a"])
    'a -> b -> a'
    """
    if len(cycle) <= SHOWN + 1:
        return " -> ".join(cycle)
    return " -> ".join((*cycle[:SHOWN], f"({len(cycle) - 1 - SHOWN} more)", cycle[-1]))


Graph = Mapping[str, set[str]]


def _reversed(graph: Graph) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {node: set() for node in graph}
    for node, targets in graph.items():
        for target in targets:
            result[target].add(node)
    return result


def _stripped(graph: Graph) -> dict[str, set[str]]:
    """Without the nodes from which every way comes to an end."""
    sources, open_ways = _reversed(graph), {node: len(targets) for node, targets in graph.items()}
    ended = [node for node, ways in open_ways.items() if not ways]
    while ended:
        for source in sources[ended.pop()]:
            open_ways[source] -= 1
            if not open_ways[source]:
                ended.append(source)
    return {node: {t for t in targets if open_ways[t]} for node, targets in graph.items() if open_ways[node]}


def _way_back(start: str, graph: Graph) -> tuple[str, ...]:
    """The nodes of the shortest way from `start` to itself, itself first and once; () when there is none."""
    before: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for target in sorted(graph[node]):
            if target == start:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return tuple(reversed(way))
            if target not in before:
                before[target] = node
                queue.append(target)
    return ()
