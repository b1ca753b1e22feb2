"""`ignoreDifferences[]` of an Application, and the same of `argocd-cm`."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from gitops_workers.core.model import IgnoreRule
from gitops_workers.dialects.field_rules import Plain, Pointer
from gitops_workers.dialects.fields import ManifestModel


class IgnoreShape(ManifestModel):
    """One rule; `group` and `kind` are globs, and a rule without `kind` is for every kind of the group."""

    group: str = ""
    kind: str = ""
    name: Plain = ""
    namespace: Plain = ""
    json_pointers: list[Pointer] = []
    jq_path_expressions: list[str] = []
    managed_fields_managers: list[str] = []


def ignore_rule(shape: IgnoreShape) -> IgnoreRule:
    """The rule as a value."""
    return IgnoreRule(
        group=shape.group,
        kind=shape.kind or "*",
        name=shape.name,
        namespace=shape.namespace,
        pointers=tuple(shape.json_pointers),
        jq=tuple(shape.jq_path_expressions),
        managers=tuple(shape.managed_fields_managers),
    )
