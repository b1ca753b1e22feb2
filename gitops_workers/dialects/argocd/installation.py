"""Every other key of `argocd-cm`: what is done, what concerns nothing here, and what applications are refused for.

The keys are those of Argo CD 3.5 docs, `argocd-cm.yaml`. Customizations of kinds are read in `settings`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from gitops_workers.core.errors import InvalidManifest, Refused
from gitops_workers.core.settings.installation import Installation, KindRule, Scope, Unheeded
from gitops_workers.dialects.argocd.settings import LoadYaml

_FACES = (
    *("accounts.", "additionalUrls", "admin.", "application.allowedNodeLabels", "application.links", "commit.author."),
    *("dex.", "exec.", "extension.", "ga.", "help.", "oidc.", "passwordPattern", "project.links", "resource.links"),
    *("resource.customLabels", "resource.excludeEventLabelKeys", "resource.includeEventLabelKeys", "server."),
    *("sourceHydrator.", "statusbadge.", "ui.", "url", "users.", "webhook.", "application.sync.requireOverride"),
)
"""Argo CD's own pages, logins, links and messages: no application is deployed otherwise because of them."""

_SIGHT = (
    *("resource.customizations.actions.", "resource.customizations.ignoreResourceUpdates."),
    *("resource.customizations.knownTypeFields.", "resource.ignoreResourceUpdatesEnabled", "resource.respectRBAC"),
)
"""What Argo CD watches and offers. Differences are the API server's here, and watching is no condition."""

_ELSEWHERE = {
    "timeout.reconciliation": "set GITOPS_ARGOCD_INTERVAL",
    "timeout.reconciliation.jitter": "set GITOPS_ARGOCD_JITTER",
    "timeout.hard.reconciliation": "use `app get --refresh`",
    "application.instanceLabelKey": "objects bear the tracking annotation and no label",
    "application.resourceTrackingMethod": "objects bear the tracking annotation and no label",
    "resource.sensitive.mask.annotations": "annotations of Secrets are shown in differences; keep secrets in `data`",
    "installationID": "the record in the cluster tells whose an object is",
    "helm.valuesFileSchemes": "value files come from the repository",
    "repositories": "declare repositories as Secrets",
    "repository.credentials": "declare credentials as Secrets",
    "configManagementPlugins": "applications that name a plugin are refused",
    "jsonnet.enable": "applications with Jsonnet are refused",
    "application.sync.impersonation.enforced": "it says how impersonation, if enabled, is done",
}
_TOLD = ("kustomize.path.", "kustomize.version.", "kustomize.buildOptions.")
"""About versions of kustomize that applications name, and those are refused."""

_HARMLESS = ("--enable-helm", "--enable-alpha-plugins", "--enable-exec", "--enable-managedby-label=false")
"""Options that let a kustomization do more: one that makes use of it is refused by its content."""

_DONE = tuple(f"resource.customizations.{part}." for part in ("health", "useOpenLibs", "ignoreDifferences"))

_COMPARE_OPTIONS = {"ignoreAggregatedRoles", "ignoreResourceStatusField", "ignoreDifferencesOnResourceUpdates"}
_PARTS = ("apiGroups", "kinds", "clusters")
"""Of an entry of kinds to leave alone."""
_FALSE = ("false", "0", "f", "F", "False", "FALSE")


def installation(data: Mapping[str, str], load: LoadYaml, origin: str) -> Installation:
    """What the ConfigMap's data says about all applications.

    Raises InvalidManifest where kinds to leave alone cannot be read, as Argo CD fails every comparison then.
    """
    unheeded = [found for key, text in sorted(data.items()) if (found := _unheeded(key, text, load, origin))]
    options = _options(data.get("kustomize.buildOptions", ""))
    return Installation(
        exclusions=_rules(data, "resource.exclusions", load, origin),
        inclusions=_rules(data, "resource.inclusions", load, origin),
        load_anywhere=options is not None and options.get("--load-restrictor") == "LoadRestrictionsNone",
        in_cluster=data.get("cluster.inClusterEnabled", "true").strip() not in _FALSE,
        unheeded=tuple(unheeded),
    )


def _unheeded(key: str, text: str, load: LoadYaml, origin: str) -> Unheeded | None:
    """What is to be told about a key; None where it is done or means nothing."""
    value = text.strip()
    if key in ("resource.exclusions", "resource.inclusions", "resource.selectors", "cluster.inClusterEnabled"):
        concerned = Unheeded(key, Scope.EVERY, "remove it")
        return concerned if key == "resource.selectors" and value else None
    if key == "kustomize.buildOptions":
        advice = f"{value[:200]!r} changes what kustomize prints; move it into the kustomizations, and remove the key"
        return Unheeded(key, Scope.KUSTOMIZE, advice) if _options(value) is None else None
    for tool, scope in (("kustomize", Scope.KUSTOMIZE), ("helm", Scope.HELM)):
        if key == f"{tool}.enable":
            return Unheeded(key, scope, "the tool is switched off; remove the key") if value in _FALSE else None
    if key == "resource.compareoptions":
        return _compare_options(key, text, load, origin)
    if key == "globalProjects":
        return Unheeded(key, Scope.EVERY, "write its rules into each AppProject, and remove it") if value else None
    if key == "application.sync.impersonation.enabled":
        refused = Unheeded(key, Scope.EVERY, "syncs use one account per cluster; remove it where that is meant")
        return refused if value and value not in _FALSE else None
    if key in _ELSEWHERE:
        return Unheeded(key, Scope.NONE, _ELSEWHERE[key])
    if key.startswith(_TOLD):
        return Unheeded(key, Scope.NONE, "applications that name a version of kustomize are refused")
    if key == "resource.customizations" or any(
        key.startswith(name) if name.endswith(".") else key == name for name in (*_DONE, *_FACES, *_SIGHT)
    ):
        return None
    return Unheeded(key, Scope.NONE, "Argo CD 3.5 has no such key either; correct its name or remove it")


def _compare_options(key: str, text: str, load: LoadYaml, origin: str) -> Unheeded | None:
    value = _yaml(key, text, load, origin) or {}
    if not isinstance(value, dict):
        raise InvalidManifest(f"{origin}: data[{key!r}]: found no mapping.")
    if value.get("ignoreAggregatedRoles") is True:
        advice = "ignoreAggregatedRoles is set; give these roles ignoreDifferences on /rules, and remove it"
        return Unheeded(key, Scope.AGGREGATED_ROLES, advice)
    if value.get("ignoreResourceStatusField") not in (None, "all", "crd", ""):
        return Unheeded(key, Scope.NONE, "status fields are never compared")
    if unknown := sorted(map(str, set(value) - _COMPARE_OPTIONS)):
        return Unheeded(
            key, Scope.NONE, f"{unknown[0][:40]!r} is no option of Argo CD 3.5; correct its name or remove it"
        )
    return None


def _options(text: str) -> Mapping[str, str] | None:
    """The options of `kustomize build` by name; None where one of them is not done here."""
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    found: dict[str, str] = {}
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if name in ("--load-restrictor", "--load_restrictor"):
            found["--load-restrictor"] = value if equals else (words.pop(0) if words else "")
        elif word not in _HARMLESS:
            return None
    restrictor = found.get("--load-restrictor", "LoadRestrictionsRootOnly")
    return found if restrictor in ("LoadRestrictionsRootOnly", "LoadRestrictionsNone") else None


def _rules(data: Mapping[str, str], key: str, load: LoadYaml, origin: str) -> tuple[KindRule, ...]:
    entries = _yaml(key, data.get(key, ""), load, origin) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidManifest(f"{origin}: data[{key!r}]: found no list of mappings (apiGroups, kinds, clusters).")
    return tuple(_rule(entry, key, origin) for entry in entries)


def _rule(entry: Mapping[str, Any], key: str, origin: str) -> KindRule:
    if unknown := sorted(map(str, set(entry) - {*_PARTS, "selector"})):
        # Argo CD reads past it, and an entry without its one part means every kind.
        raise InvalidManifest(f"{origin}: data[{key!r}]: found {unknown[0][:40]!r}, known are {', '.join(_PARTS)}.")
    parts = []
    for name in _PARTS:
        values = entry.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise InvalidManifest(f"{origin}: data[{key!r}]: {name} is a list of texts.")
        parts.append(tuple(values))
    if entry.get("selector"):
        raise InvalidManifest(f"{origin}: data[{key!r}]: a selector is not done here; name kinds instead.")
    return KindRule(*parts)


def _yaml(key: str, text: str, load: LoadYaml, origin: str) -> Any:
    if not text.strip():
        return None
    try:
        return load(text.encode(), f"{origin}: {key}")
    except Refused as error:
        raise InvalidManifest(f"{origin}: data[{key!r}]: the YAML cannot be read: {error}") from None
