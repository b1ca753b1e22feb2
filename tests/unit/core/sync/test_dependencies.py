"""Names, cycles, and who waits for whom."""

from __future__ import annotations

import random
import tracemalloc
from itertools import pairwise

import pytest

from gitops_workers.core.sync.dependencies import Dependency, by_name, cycles, dependants, resolve, shown

UNDECLARED = "it is not declared: add it or correct the name"


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({}, {}),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, {}),
        ({"a": ["gone"]}, {}),
        ({"a": ["a"]}, {"a": "a -> a"}),
        ({"a": ["b"], "b": ["a"]}, {"a": "a -> b -> a", "b": "b -> a -> b"}),
        (
            {"a": ["b"], "b": ["c"], "c": ["a"], "before": ["a"], "after": [], "d": ["after"]},
            {"a": "a -> b -> c -> a", "b": "b -> c -> a -> b", "c": "c -> a -> b -> c"},
        ),
        # Two that share a member, and one who stands between two.
        ({"a": ["b"], "b": ["a", "c"], "c": ["b"]}, {"a": "a -> b -> a", "b": "b -> a -> b", "c": "c -> b -> c"}),
        ({"a": ["a", "m"], "m": ["z"], "z": ["z"]}, {"a": "a -> a", "z": "z -> z"}),
    ],
)
def test_every_member_of_a_cycle_is_named_and_nobody_else(edges, expected):
    assert {member: shown(cycle) for member, cycle in cycles(edges).items()} == expected


def test_members_are_found_whatever_the_graph():
    chance = random.Random(7)
    for _ in range(300):
        nodes = [f"n{number}" for number in range(chance.randint(1, 8))]
        edges = {node: chance.sample(nodes, chance.randint(0, min(3, len(nodes)))) for node in nodes}

        found = cycles(edges)

        assert set(found) == {node for node in nodes if node in reachable(edges, edges[node])}
        for member, cycle in found.items():
            assert cycle[0] == cycle[-1] == member
            assert all(after in edges[before] for before, after in pairwise(cycle))


def reachable(edges: dict[str, list[str]], start: list[str]) -> set[str]:
    seen: set[str] = set()
    left = list(start)
    while left:
        node = left.pop()
        if node not in seen:
            seen.add(node)
            left += edges[node]
    return seen


def test_a_very_long_cycle_is_found_and_named_short():
    edges = {f"a{number:05}": [f"a{(number + 1) % 20_000:05}"] for number in range(20_000)}

    tracemalloc.start()
    found = cycles(edges)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(found) == 20_000
    assert peak < 64 << 20, "every member holds the cycle for itself"
    assert shown(found["a00000"]).endswith("a00007 -> (19992 more) -> a00000")


@pytest.mark.parametrize(
    ("name", "own", "expected"),
    [
        ("db", "application/argocd/shop", Dependency("application/argocd/db")),
        ("application/argocd/db", "x", Dependency("application/argocd/db")),
        ("application/other/db", "x", Dependency("application/other/db", problem=UNDECLARED)),
        ("shop", "application/argocd/shop", Dependency("kustomization/flux-system/shop")),
        ("alone", "application/argocd/alone", Dependency("application/argocd/alone")),
    ],
)
def test_names(name, own, expected):
    ids = [
        "application/argocd/db",
        "application/argocd/shop",
        "kustomization/flux-system/shop",
        "application/argocd/alone",
    ]

    assert resolve(Dependency(name), own, by_name(ids)) == expected


def test_an_expression_stays_with_its_dependency():
    found = resolve(Dependency("db", ready="true"), "x", by_name(["application/argocd/db"]))

    assert found == Dependency("application/argocd/db", ready="true")


def test_who_is_waited_for_by_whom():
    found = dependants({"a": [Dependency("base")], "b": [Dependency("base"), Dependency("a")], "base": []})

    assert found == {"base": ["a", "b"], "a": ["b"]}
