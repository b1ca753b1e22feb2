"""The rule language: a health rule is a few lines of data.

A rule is a tuple of steps, and the first step that has an answer wins. `When` answers if all its tests hold; `ForEach`
tries its steps on every item of a list. Paths and message templates are those of `core.health.fields`.

Odd rules are functions of the object. Both kinds return None for "no opinion", which Argo CD shows as no health.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.health.fields import fill, items, read
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

Test = Callable[[Any], bool]
Step = Callable[[Any], Health | None]
Rule = tuple[Step, ...] | Callable[[Manifest], Health | None]
Table = dict[str, Rule]
"""Rules by `group/Kind`; `*` in either part is a wildcard that any exact entry beats."""


@dataclass(frozen=True, slots=True)
class When:
    """Answers with the status and the filled message if all tests hold."""

    status: HealthStatus
    message: str
    tests: tuple[Test, ...] = ()

    def __call__(self, value: Any) -> Health | None:
        """The health, or None when a test does not hold."""
        if all(test(value) for test in self.tests):
            return Health(self.status, fill(self.message, value))
        return None


@dataclass(frozen=True, slots=True)
class ForEach:
    """Tries the steps on every item of the list at `path`, in order; paths in them are relative to the item."""

    path: str
    steps: tuple[Step, ...]
    backwards: bool = False

    def __call__(self, value: Any) -> Health | None:
        """The first answer of the first item that has one."""
        found = items(value, self.path)
        return next(
            (
                health
                for item in (reversed(found) if self.backwards else found)
                if (health := first(self.steps, item)) is not None
            ),
            None,
        )


@dataclass(frozen=True, slots=True)
class Is:
    """The value at the path is one of these; `holds` False turns it round. None counts as a value."""

    path: str
    values: tuple[Any, ...]
    holds: bool = True

    def __call__(self, value: Any) -> bool:
        """Whether it is so."""
        found = read(value, self.path)
        return any(type(found) is type(each) and found == each for each in self.values) is self.holds


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """Something stands at the path: not None, not an empty text, list or map."""

    path: str
    holds: bool = True

    def __call__(self, value: Any) -> bool:
        """Whether it is so."""
        return (read(value, self.path) not in (None, "", [], {})) is self.holds


@dataclass(frozen=True, slots=True)
class Same:
    """What stands at the two paths is equal; nothing equals nothing."""

    left: str
    right: str

    def __call__(self, value: Any) -> bool:
        """Whether it is so."""
        return bool(read(value, self.left) == read(value, self.right))


@dataclass(frozen=True, slots=True)
class Stale:
    """The controller has seen another generation than the object has. `missing`: also when it has seen none."""

    path: str = "status.observedGeneration"
    missing: bool = False

    def __call__(self, value: Any) -> bool:
        """Whether it is so."""
        generation, seen = read(value, "metadata.generation"), read(value, self.path)
        return generation is not None and seen != generation and (seen is not None or self.missing)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the tests holds."""

    tests: tuple[Test, ...]

    def __call__(self, value: Any) -> bool:
        """Whether it is so."""
        return any(test(value) for test in self.tests)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one item of the list at the path passes all tests."""

    path: str
    tests: tuple[Test, ...]

    def __call__(self, value: Any) -> bool:
        """Whether it is so."""
        return any(all(test(item) for test in self.tests) for item in items(value, self.path))


def first(steps: tuple[Step, ...], value: Any) -> Health | None:
    """The first answer of the steps."""
    return next((health for step in steps if (health := step(value)) is not None), None)


def evaluate(rule: Rule, obj: Manifest) -> Health | None:
    """What the rule says of the object."""
    return first(rule, obj) if isinstance(rule, tuple) else rule(obj)


def healthy(message: str = "", *tests: Test) -> When:
    """Healthy if all tests hold."""
    return When(HealthStatus.HEALTHY, message, tests)


def progressing(message: str = "", *tests: Test) -> When:
    """Progressing if all tests hold."""
    return When(HealthStatus.PROGRESSING, message, tests)


def degraded(message: str = "", *tests: Test) -> When:
    """Degraded if all tests hold."""
    return When(HealthStatus.DEGRADED, message, tests)


def suspended(message: str = "", *tests: Test) -> When:
    """Suspended if all tests hold."""
    return When(HealthStatus.SUSPENDED, message, tests)


def unknown(message: str = "", *tests: Test) -> When:
    """Unknown if all tests hold."""
    return When(HealthStatus.UNKNOWN, message, tests)


def missing(message: str = "", *tests: Test) -> When:
    """Missing if all tests hold."""
    return When(HealthStatus.MISSING, message, tests)


def for_each(path: str, *steps: Step, backwards: bool = False) -> ForEach:
    """The steps for every item of a list."""
    return ForEach(path, steps, backwards)


def conditions(*steps: Step, backwards: bool = False) -> ForEach:
    """The steps for every condition of the status, in the order in which the controller wrote them."""
    return ForEach("status.conditions", steps, backwards)


def met(*kinds: str) -> tuple[Test, ...]:
    """Of one condition: it has one of these types and is True."""
    return Is("type", kinds), Is("status", ("True",))


def unmet(*kinds: str) -> tuple[Test, ...]:
    """Of one condition: it has one of these types and is False."""
    return Is("type", kinds), Is("status", ("False",))


def has(path: str, *values: Any) -> Is:
    """The value is one of these (`True` is not 1); a path that is not there has the value None."""
    return Is(path, values)


def lacks(path: str, *values: Any) -> Is:
    """The value is none of these."""
    return Is(path, values, holds=False)


def not_empty(path: str) -> NotEmpty:
    """There is something."""
    return NotEmpty(path)


def empty(path: str) -> NotEmpty:
    """There is nothing."""
    return NotEmpty(path, holds=False)


def either(*tests: Test) -> Either:
    """At least one holds."""
    return Either(tests)


def any_of(path: str, *tests: Test) -> AnyOf:
    """At least one item passes all tests."""
    return AnyOf(path, tests)


def true(kind: str) -> Is:
    """The condition of this type is True."""
    return Is(f"@'{kind}'.status", ("True",))


def false(kind: str) -> Is:
    """The condition of this type is False."""
    return Is(f"@'{kind}'.status", ("False",))


def reason(kind: str, *reasons: str) -> Is:
    """The condition of this type has one of these reasons."""
    return Is(f"@'{kind}'.reason", reasons)


def ready(waiting: str, kind: str = "Ready", *, good: str = "", bad: str = "") -> tuple[Step, ...]:
    """The commonest rule: one condition decides, and its message is the message unless another is given."""
    said = f"{{@'{kind}'.message}}"
    return (
        degraded(bad or said, false(kind)),
        healthy(good or said, true(kind)),
        progressing(waiting),
    )


def joined(group: str, rules: Table) -> Iterator[tuple[str, Rule]]:
    """The rules of one API group, given by kind (`A B` for two kinds that share a rule)."""
    return ((f"{group}/{kind}", rule) for kinds, rule in rules.items() for kind in kinds.split())
