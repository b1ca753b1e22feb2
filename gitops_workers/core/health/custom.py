"""Health by users' own rules: which rule is asked, and what its answer means. The sandbox runs the languages.

Lua: argocd.md 1.4. CEL: flux.md 1.2, `healthCheckExprs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitops_workers.core.health.argocd import on_its_way_out
from gitops_workers.core.health.fields import read
from gitops_workers.core.model import Health, HealthExpressions, HealthStatus
from gitops_workers.core.objects import Manifest, group_of

INVALID = "Lua returned an invalid health status"
_WORDS = frozenset(
    {
        HealthStatus.HEALTHY,
        HealthStatus.SUSPENDED,
        HealthStatus.PROGRESSING,
        HealthStatus.MISSING,
        HealthStatus.DEGRADED,
        HealthStatus.UNKNOWN,
    }
)
_ANSWERS = (HealthStatus.IN_PROGRESS, HealthStatus.FAILED, HealthStatus.CURRENT)


def before_script(live: Manifest) -> Health | None:
    """What counts before any script is asked: an object on its way out."""
    return on_its_way_out(live)


def by_script(found: Mapping[str, Any] | None) -> Health | None:
    """What a script's table means; nil and an empty table mean that the kind has no health."""
    if not found:
        return None
    status, message = found.get("status"), found.get("message")
    if status not in _WORDS:
        return Health(HealthStatus.UNKNOWN, INVALID)
    return Health(HealthStatus(status), message if isinstance(message, str) else "")


def expressions_for(rules: Iterable[HealthExpressions], live: Manifest) -> HealthExpressions | None:
    """The expressions of an object's kind; those of its kind beat those of its whole group."""
    group, kind = group_of(str(live.get("apiVersion") or "")), live.get("kind")
    fitting = [rule for rule in rules if rule.group == group and rule.kind in ("", kind)]
    return max(fitting, key=lambda rule: bool(rule.kind), default=None)


def before_expressions(live: Manifest) -> Health | None:
    """What counts before any expression is asked: a generation that its controller has not seen."""
    generation, seen = read(live, "metadata.generation"), read(live, "status.observedGeneration")
    if generation is None or seen is None or generation == seen:
        return None
    message = f"{live.get('kind')} generation is {generation}, but latest observed generation is {seen}"
    return Health(HealthStatus.IN_PROGRESS, message)


def questions(rule: HealthExpressions) -> tuple[str, ...]:
    """The expressions in the order in which they are asked; the first true one decides."""
    return tuple(text for text in (rule.in_progress, rule.failed, rule.current) if text)


def by_expression(rule: HealthExpressions, true: int | None) -> Health:
    """What it means that the question of this index was the first true one; None: none was."""
    if true is None:
        return Health(HealthStatus.IN_PROGRESS, "no healthCheckExprs expression is true yet")
    asked = [(status, text) for status, text in zip(_ANSWERS, _texts(rule), strict=True) if text]
    status, text = asked[true]
    return Health(status, f"healthCheckExprs: {text}")


def not_evaluated(problem: object) -> Health:
    """A rule that could not be run: nothing is known, and the reason is the message."""
    return Health(HealthStatus.UNKNOWN, str(problem))


def _texts(rule: HealthExpressions) -> tuple[str, str, str]:
    return rule.in_progress, rule.failed, rule.current
