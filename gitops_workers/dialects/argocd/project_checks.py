"""What Argo CD rejects in an AppProject (3.5, `ValidateProject`), and patterns that could mean nothing they say.

Upstream lets a broken pattern fit nothing, so a broken one that denies denies nothing: here it is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from gitops_workers.core.text.globs import glob_problem
from gitops_workers.core.text.name_patterns import pattern_problem
from gitops_workers.dialects.argocd.project_shapes import ProjectSpec, WindowShape
from gitops_workers.dialects.document import Path
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.messages import shown

_DENY = "!"


def check_project(reading: ParseContext, spec: ProjectSpec) -> None:
    """Report every error in what stands beside the kinds and the schedules."""
    _patterns(reading, ("spec", "sourceRepos"), spec.source_repos, glob_problem)
    _patterns(reading, ("spec", "sourceNamespaces"), spec.source_namespaces, pattern_problem, negated=False)
    _once(reading, ("spec", "sourceRepos"), spec.source_repos)
    _once(reading, ("spec", "sourceNamespaces"), spec.source_namespaces)
    place: Path = ("spec", "destinations")
    for index, rule in enumerate(spec.destinations):
        for field, text in (("server", rule.server), ("name", rule.name), ("namespace", rule.namespace)):
            _pattern(reading, (*place, index, field), text, glob_problem)
    _once(reading, place, [(rule.server or rule.name, rule.namespace) for rule in spec.destinations])
    place = ("spec", "syncWindows")
    for index, window in enumerate(spec.sync_windows):
        if not window.applications and not window.namespaces and not window.clusters:
            reading.error((*place, index), "the window means nothing: give it applications, namespaces or clusters.")
        for field in ("applications", "namespaces", "clusters"):
            _patterns(reading, (*place, index, field), getattr(window, field), glob_problem, negated=False)
    _once(reading, place, map(_identity, spec.sync_windows))


def _identity(window: WindowShape) -> Hashable:
    """What makes two windows one; what an open window allows is no part of it."""
    means = (tuple(window.applications), tuple(window.namespaces), tuple(window.clusters), window.and_operator)
    return (window.kind, window.schedule, window.duration, window.time_zone, means)


def _once(reading: ParseContext, place: Path, values: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for index, value in enumerate(values):
        if value in seen:
            reading.error((*place, index), "the entry stands there twice: remove one of the two.")
        seen.add(value)


def _patterns(
    reading: ParseContext, place: Path, texts: Iterable[str], problem: Callable[[str], str], *, negated: bool = True
) -> None:
    for index, text in enumerate(texts):
        _pattern(reading, (*place, index), text, problem, negated=negated)


def _pattern(
    reading: ParseContext, place: Path, text: str, problem: Callable[[str], str], *, negated: bool = True
) -> None:
    if negated and text in (_DENY, f"{_DENY}*"):
        reading.error(place, f"found {shown(text)}, which is no pattern that can be denied: leave the entry out.")
    elif wrong := problem(text.removeprefix(_DENY) if negated else text):
        reading.error(place, f"found {shown(text)}: {wrong}")
