"""What an application has left behind in clusters that were its destination before.

Argo CD leaves it there, and so do we: a destination that was changed by mistake would else take everything with it. But
nobody looks after those objects any more, so it is said for as long as it is known to be true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gitops_workers.core.model import AppId, Application, Condition
from gitops_workers.core.record.record import NAMESPACE, PART_OF, applyset_id, record_name
from gitops_workers.core.text.plural import amount

CONDITION = "ObjectsLeftBehind"


def with_relocation_condition(app: Application, left: Mapping[str, int] | None) -> Application:
    """The application with a condition that says what stays where: objects by cluster."""
    others = tuple(item for item in app.conditions if item.type != CONDITION)
    if left:
        others = (*others, Condition(CONDITION, describe(app.id, left)))
    return replace(app, conditions=others)


def describe(app: AppId, left: Mapping[str, int]) -> str:
    """What stays where, and what to do; "" when nothing does."""
    if not left:
        return ""
    places = " and ".join(f"{amount(count, 'object')} left in cluster {name}" for name, count in sorted(left.items()))
    return (
        f"{places}, where {app} was deployed before; nobody looks after them. Delete them there (they have the label "
        f"{PART_OF}={applyset_id(app)}), and then ConfigMap {NAMESPACE}/{record_name(app)}; "
        "or change the destination back."
    )
