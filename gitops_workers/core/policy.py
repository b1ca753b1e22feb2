"""What an application may do, decided over the final objects at every verb; everything not allowed is refused.

Project `default` is Argo CD's: every repository, every destination, every kind. A project that is not defined allows
nothing, so a typing error in `spec.project` cannot widen anybody's rights. Our own records are nobody's to manage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.model import Application
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.record import NAMESPACE


@dataclass(frozen=True, slots=True)
class Project:
    """The rules of a project. The only one of this version is `default`, which allows everything."""

    name: str


DEFAULT_PROJECTS: Mapping[str, Project] = {"default": Project("default")}


def check(app: Application, keys: Iterable[ObjectKey], projects: Mapping[str, Project] = DEFAULT_PROJECTS) -> None:
    """Pass, or raise PolicyRefused naming the project or the object and what is allowed."""
    if app.project not in projects:
        known = ", ".join(sorted(projects))
        raise PolicyRefused(f"spec.project: project {app.project!r} does not exist. Known projects: {known}.")
    for key in keys:
        if key.kind == "ConfigMap" and key.group == "" and key.namespace == NAMESPACE:
            raise PolicyRefused(
                f"{key}: ConfigMaps in namespace {NAMESPACE} are this engine's own records. Use another namespace."
            )
