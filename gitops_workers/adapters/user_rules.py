"""Port `Rules`: Lua, CEL and jq of users, run in sandbox children that can be stopped.

A rule that was killed or ran out of time rests for a while: an application of a thousand objects pays for it once, and
a rule that only met a busy machine is tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitops_workers.core.dialect import policy_of
from gitops_workers.core.errors import InvalidManifest, RenderFailed, Retry, UnsafeContent
from gitops_workers.core.health import health_of, rule_health
from gitops_workers.core.health.custom import (
    before_expressions,
    before_script,
    by_expression,
    by_script,
    expressions_for,
    not_evaluated,
    questions,
)
from gitops_workers.core.model import Application, Health, HealthExpressions, IgnoreRule
from gitops_workers.core.objects import Manifest, digest, group_of, key_of
from gitops_workers.core.settings.customizations import Customizations
from gitops_workers.core.settings.governing import with_settings
from gitops_workers.sandbox_protocol.frames import Runner

SECONDS = 1.0
"""One evaluation: Argo CD's limit for Lua and jq."""
REST = 60.0
"""Seconds that a rule which had to be stopped is not tried again."""
_REMEMBERED = 1000
_BOOKKEEPING = "managedFields"


class UserRules:
    """See the port. Safe for any number of threads."""

    def __init__(
        self,
        runner: Runner,
        customizations: Customizations | None = None,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`runner` has children of the program `rules`; `seconds` is the limit of one evaluation.

        `wall` are seconds since 1970, for objects whose age counts.
        """
        self._runner = runner
        self.configure(customizations or Customizations())
        self._seconds = seconds
        self._clock = clock
        self._wall = wall
        self._resting: dict[str, tuple[float, str]] = {}
        self._checked: set[str] = set()
        self._lock = threading.Lock()

    def doubt(self, reason: str) -> None:
        """The installation's `argocd-cm` cannot be read, and never was: until then nobody knows what to leave alone."""
        self._doubt = reason

    def configure(self, customizations: Customizations) -> None:
        """What the installation's `argocd-cm` says now."""
        self._doubt = ""
        self._customizations = customizations
        self._version = digest(repr(customizations))
        self._word = "" if customizations == Customizations() else self._version

    def version(self) -> str:
        """The digest of what the installation's `argocd-cm` says; "" where it could never be read."""
        return "" if self._doubt else self._version

    def health(self, app: Application, live: Manifest) -> Health | None:
        """See the port."""
        if (rule := expressions_for(app.health_rules, live)) is not None:
            return self._by_expressions(rule, live)
        if not policy_of(app.dialect).governed:
            return health_of(live, app.dialect, now=self._wall())
        return before_script(live) or self.rule_alone(live)

    def rule_alone(self, live: Manifest) -> Health | None:
        """By the installation's script for the kind, else by Argo CD's built-in rule; also for one that is going."""
        group = group_of(str(live.get("apiVersion") or ""))
        found = self._customizations.script_for(group, str(live.get("kind") or ""))
        if found is None:
            return rule_health(live)
        what = f"health.lua of {found.pattern}"
        request = {"script": found.script, "object": _lean(live), "open": found.open_libs}
        try:
            return by_script(self._run("lua", found.script, request, what))
        except RenderFailed as error:
            return not_evaluated(error)

    def check(self, app: Application) -> None:
        """See the port."""
        if self._doubt and policy_of(app.dialect).governed:
            raise Retry(f"{self._doubt}: without its rules for health and ignored differences nothing is synced.")
        for rule in app.health_rules:
            place = f"spec.healthCheckExprs of {'.'.join(part for part in (rule.kind, rule.group) if part)}"
            self._check("cel", questions(rule), place)
        for dependency in app.depends_on:
            if dependency.ready:
                self._check("cel", (dependency.ready,), f"readyExpr of spec.dependsOn {dependency.id}")
        for ignored in app.ignore:
            self._check("jq", ignored.jq, "jqPathExpressions")

    def governed(self, app: Application) -> Application:
        """See the port."""
        return with_settings(app, self._customizations.installation) if policy_of(app.dialect).governed else app

    def mark(self, app: Application) -> str:
        """See the port."""
        own = (app.ignore, app.health_rules) if app.ignore or app.health_rules else ()
        common = self._word if policy_of(app.dialect).governed else ""
        return digest(repr(own), common) if own or common else ""

    def ignored(self, app: Application) -> tuple[IgnoreRule, ...]:
        """See the port."""
        return (*app.ignore, *self._customizations.ignore) if policy_of(app.dialect).governed else app.ignore

    def paths(
        self, expressions: Sequence[str], manifests: Sequence[Manifest]
    ) -> list[tuple[tuple[str | int, ...], ...]]:
        """See the port."""
        request = {"expressions": list(expressions), "objects": [_lean(item) for item in manifests]}
        what = f"jqPathExpressions for {key_of(manifests[0])}" if manifests else "jqPathExpressions"
        found = self._run("jq", "\n".join(expressions), request, what)
        return [tuple(tuple(path) for path in paths) for paths in found]

    def holds(self, expression: str, variables: Mapping[str, Any]) -> bool:
        """See the port."""
        request = {"expressions": [expression], "variables": variables}
        return self._run("cel", expression, request, "readyExpr") is not None

    def _by_expressions(self, rule: HealthExpressions, live: Manifest) -> Health:
        if (early := before_expressions(live)) is not None:
            return early
        asked = questions(rule)
        try:
            request = {"expressions": asked, "variables": _lean(live)}
            return by_expression(rule, self._run("cel", "\n".join(asked), request, "healthCheckExprs"))
        except RenderFailed as error:
            return not_evaluated(error)

    def _check(self, language: str, expressions: Sequence[str], place: str) -> None:
        name = digest(language, *expressions)
        if not expressions or name in self._checked:
            return
        request = {"language": language, "expressions": list(expressions)}
        for index, problem in self._run("check", name, request, place):
            raise InvalidManifest(f"{place}: {expressions[index]!r} is no {language} expression: {problem}.")
        if len(self._checked) >= _REMEMBERED:
            self._checked.clear()
        self._checked.add(name)

    def _run(self, job: str, rule: str, request: Mapping[str, Any], what: str) -> Any:
        """Do a job, unless this rule had to be stopped a moment ago. Raises RenderFailed."""
        name = digest(job, rule)
        now = self._clock()
        with self._lock:
            until, reason = self._resting.get(name, (0.0, ""))
        if now < until:
            raise UnsafeContent(reason)
        try:
            result, _ = self._runner.run(job, request, what=what, seconds=self._seconds)
        except RenderFailed as error:
            if isinstance(error, UnsafeContent) or "ran longer" in str(error):
                self._rest(name, now, f"{error} (it is tried again after {REST:.0f} s)")
            raise
        return result

    def _rest(self, name: str, now: float, reason: str) -> None:
        with self._lock:
            if len(self._resting) >= _REMEMBERED:
                self._resting.clear()
            self._resting[name] = (now + REST, reason)


def _lean(live: Manifest) -> Manifest:
    """Without the bookkeeping that makes up half of an object and that no rule reads."""
    metadata = live.get("metadata")
    if not isinstance(metadata, dict) or _BOOKKEEPING not in metadata:
        return live
    return {**live, "metadata": {name: value for name, value in metadata.items() if name != _BOOKKEEPING}}
