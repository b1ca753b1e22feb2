"""The part of `argocd-cm` that changes what health and differences are: `resource.customizations*`.

Both spellings are read (Argo CD 3.5 docs, resource health and diff customization): one key per kind,
`resource.customizations.health.<group>_<Kind>`, and the older single key `resource.customizations` with a YAML map, the
only place where upstream allows wildcards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.model import IgnoreRule, Problem
from gitops_workers.core.settings.customizations import Customizations, HealthScript
from gitops_workers.dialects.argocd.ignore import IgnoreShape, ignore_rule

NAME = "argocd-cm"
_PREFIX = "resource.customizations"
_HEALTH, _OPEN, _IGNORE = f"{_PREFIX}.health.", f"{_PREFIX}.useOpenLibs.", f"{_PREFIX}.ignoreDifferences."

LoadYaml = Callable[[bytes, str], Any]
"""The value of one YAML text; the name is for messages. Raises GitOpsError."""


def customizations(data: Mapping[str, str], load: LoadYaml, origin: str) -> tuple[Customizations, tuple[Problem, ...]]:
    """What the ConfigMap's data says, and what in it means nothing: such a script is its own problem only.

    Raises GitOpsError where ignored differences cannot be read, as Argo CD fails every comparison then: without them
    what they leave alone would be overwritten.
    """
    reader = _Reader(load, origin)
    for key, text in sorted(data.items()):
        if key == _PREFIX:
            reader.old_map(text)
        elif key.startswith(_HEALTH):
            reader.script(key, _pattern(key.removeprefix(_HEALTH)), text)
        elif key.startswith(_OPEN) and text.strip().lower() == "true":
            reader.open.add(_pattern(key.removeprefix(_OPEN)))
        elif key.startswith(_IGNORE):
            reader.ignored(key, _pattern(key.removeprefix(_IGNORE)), reader.yaml(key, text))
    if reader.unread:
        raise InvalidManifest("; ".join(str(problem) for problem in reader.unread))
    scripts = tuple(HealthScript(name, text, name in reader.open) for name, text in sorted(reader.scripts.items()))
    return Customizations(scripts, tuple(reader.ignores)), tuple(reader.problems)


class _Reader:
    def __init__(self, load: LoadYaml, origin: str) -> None:
        self._load = load
        self._origin = origin
        self.scripts: dict[str, str] = {}
        self.open: set[str] = set()
        self.ignores: list[IgnoreRule] = []
        self.problems: list[Problem] = []
        self.unread: list[Problem] = []

    def old_map(self, text: str) -> None:
        """`group/Kind: {health.lua: ..., health.lua.useOpenLibs: true, ignoreDifferences: ...}`; the new keys win."""
        value = self.yaml(_PREFIX, text)
        if not isinstance(value, dict):
            if value is not None:
                self._unreadable(_PREFIX, "found no mapping of kinds.")
            return
        for name, entry in value.items():
            key = f"{_PREFIX}[{str(name)[:80]!r}]"
            if not isinstance(entry, dict):
                self._unreadable(key, "found no mapping: give it health.lua or ignoreDifferences.")
                continue
            script = entry.get("health.lua")
            if isinstance(script, str):
                self.script(key, str(name), script, overwrite=False)
            if entry.get("health.lua.useOpenLibs") is True:
                self.open.add(str(name))
            ignored = entry.get("ignoreDifferences")
            if ignored is not None:
                self.ignored(key, str(name), self.yaml(key, ignored) if isinstance(ignored, str) else ignored)

    def script(self, key: str, pattern: str, text: str, *, overwrite: bool = True) -> None:
        if not pattern:
            self._problem(key, "the kind is missing: write <group>_<Kind>.")
        elif text.strip() and (overwrite or pattern not in self.scripts):
            self.scripts[pattern] = text

    def ignored(self, key: str, pattern: str, value: Any) -> None:
        if value is None:
            return
        group, _, kind = pattern.rpartition("/")
        if pattern == "all":
            group, kind = "*", "*"
        if not isinstance(value, dict):
            self._unreadable(key, "found no mapping: give it jsonPointers, jqPathExpressions or managedFieldsManagers.")
            return
        try:
            shape = IgnoreShape.model_validate({**value, "group": group, "kind": kind})
        except ValueError:
            self._unreadable(key, "jsonPointers, jqPathExpressions and managedFieldsManagers are lists of texts.")
            return
        self.ignores.append(ignore_rule(shape))

    def yaml(self, key: str, text: str) -> Any:
        try:
            return self._load(text.encode(), f"{self._origin}: {key}")
        except Refused as error:
            self._unreadable(key, f"the YAML cannot be read: {error}")
            return None

    def _problem(self, key: str, message: str) -> None:
        self.problems.append(Problem(self._origin, 0, f"data[{key!r}]", message))

    def _unreadable(self, key: str, message: str) -> None:
        self.unread.append(Problem(self._origin, 0, f"data[{key!r}]", message))


def _pattern(name: str) -> str:
    """`group/Kind` of a key's `group_Kind`; a kind alone is one of the core group."""
    group, underscore, kind = name.partition("_")
    return f"{group}/{kind}" if underscore and group else kind or group
