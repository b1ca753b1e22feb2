"""What an application depends on: our annotation in either dialect, Flux' `dependsOn`, and the names they use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from gitops_workers.core.model import AppId, Application, Condition
from gitops_workers.core.sync.dependencies import Dependency, by_name, cycles, resolve, shown
from gitops_workers.dialects import messages
from gitops_workers.dialects.document import Document, Path
from gitops_workers.dialects.field_rules import is_name, is_namespace
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.metadata import Metadata

ANNOTATION = "gitops-workers.dev/depends-on"
"""Our extension: ids (`application/argocd/db`, `kustomization/flux-system/infra`) or unique bare names, with commas."""
FIELD: Path = ("spec", "dependsOn")
_PLACE: Path = ("metadata", "annotations", ANNOTATION)
MOST = 100
"""Dependencies of one application: a graph of ten thousand applications stays quick to look through."""


def dependencies(
    reading: ParseContext, metadata: Metadata, kinds: Collection[str], own: Sequence[Dependency] = ()
) -> tuple[Dependency, ...]:
    """The dialect's own and those of the annotation, names as they are written. `kinds`: with what an id can begin."""
    texts = [text.strip() for text in metadata.annotations.get(ANNOTATION, "").split(",")]
    found = [*own, *(Dependency(text) for text in texts if text)]
    for text in texts:
        if text and not _is_reference(text, kinds):
            allowed = "ids like application/argocd/db or kustomization/flux-system/infra, or bare names, with commas"
            reading.error(_PLACE, f"found {messages.shown(text)}, allowed are {allowed}.")
    if len(found) > MOST:
        reading.error(FIELD if own else _PLACE, f"found {len(found)} dependencies, allowed are at most {MOST}.")
    return tuple(found)


def linked(
    apps: Mapping[AppId, Application], others: Iterable[AppId]
) -> dict[AppId, tuple[Application, tuple[str, ...], str]]:
    """The applications that depend on something, each with remarks about names and the error of a cycle.

    `others`: applications that exist and cannot be read now. A member of a cycle is refused, whoever only depends on
    one waits.
    """
    waiting = {identity: app for identity, app in apps.items() if app.depends_on}
    if not waiting:
        return {}
    named = by_name((*apps, *others))
    resolved = {
        identity: tuple(resolve(item, identity, named) for item in app.depends_on) for identity, app in waiting.items()
    }
    rings = cycles({identity: [item.id for item in found] for identity, found in resolved.items()})
    result = {}
    for identity, app in waiting.items():
        found = resolved[identity]
        remarks = tuple(f"{item.id}: {item.problem}; until then nothing is applied." for item in found if item.problem)
        error = f"Cycle of dependencies: {shown(rings[identity])}. Take one of them out." if identity in rings else ""
        conditions = (*app.conditions, *(Condition("InvalidSpecError", f"depends on {text}") for text in remarks))
        refusal = " ".join(text for text in (app.refusal, error) if text)
        changed = replace(app, depends_on=found, conditions=conditions, refusal=refusal)
        result[identity] = (changed, remarks, error)
    return result


def place(document: Document) -> Path:
    """Where an application's dependencies are written; the field before the annotation."""
    spec = document.value.get("spec") if isinstance(document.value, dict) else None
    return FIELD if isinstance(spec, dict) and spec.get("dependsOn") else _PLACE


def _is_reference(text: str, kinds: Collection[str]) -> bool:
    kind, slash, rest = text.partition("/")
    if not slash:
        return is_name(text)
    namespace, slash, name = rest.partition("/")
    return kind in kinds and bool(slash) and is_namespace(namespace) and is_name(name)
