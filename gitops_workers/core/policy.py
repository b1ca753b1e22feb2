"""What an application may do, decided over the final objects at every verb; everything not allowed is refused.

A project that the catalogue declares allows what its lists say (argocd.md 1.7); `default` allows everything where it is
not declared. Any other project that is not declared allows nothing, so a typing error in `spec.project` cannot widen
anybody's rights. Our own records are nobody's to manage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from gitops_workers.core import repositories
from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.globs import matches_text
from gitops_workers.core.model import Application, Condition
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.project import AllowedDestination, KindRule, Project
from gitops_workers.core.record import NAMESPACE
from gitops_workers.core.urls import without_credentials

DEFAULT = "default"
FORBIDDEN = "ForbiddenResourceWarning"
"""The condition about live objects that the project has come to forbid."""
EVERYTHING = "*"


def check(app: Application, keys: Iterable[ObjectKey], cluster: str = "", server: str = "") -> None:
    """Pass, or raise PolicyRefused naming the project or the object and what is allowed.

    `cluster` and `server` are the destination as this installation knows it.
    """
    limits = app.limits
    if limits is None and app.project != DEFAULT:
        raise PolicyRefused(
            f"spec.project: project {app.project!r} is not in the catalogue. Add its AppProject or correct the name."
        )
    if limits is not None:
        _check_application(app, limits, cluster, server)
    for key in keys:
        if key.kind == "ConfigMap" and key.group == "" and key.namespace == NAMESPACE:
            raise PolicyRefused(
                f"{key}: ConfigMaps in namespace {NAMESPACE} are this engine's own records. Use another namespace."
            )
        if limits is not None and (reason := _forbidden(app, limits, key, cluster, server)):
            raise PolicyRefused(f"{key}: {reason}")


def permits(app: Application, key: ObjectKey, cluster: str = "", server: str = "") -> bool:
    """Whether the project lets the application touch an object at all; what it may not touch it does not prune."""
    return app.limits is None or not _forbidden(app, app.limits, key, cluster, server)


def barred(app: Application, keys: Iterable[ObjectKey], cluster: str, server: str) -> dict[ObjectKey, str]:
    """Those of the keys that the project does not let the application touch, with the reason."""
    if app.limits is None:
        return {}
    reasons = {key: _forbidden(app, app.limits, key, cluster, server) for key in keys}
    return {key: reason for key, reason in reasons.items() if reason}


def noting(app: Application, stays: Mapping[ObjectKey, str]) -> Application:
    """The application with a condition about what left Git and is `barred`."""
    if not stays:
        return app
    key, reason = next(iter(stays.items()))
    more = f" (and {len(stays) - 1} more)" if len(stays) > 1 else ""
    text = f"{key}{more} left Git and stays: {reason} Allow it there, or delete it by hand."
    return replace(app, conditions=(*app.conditions, Condition(FORBIDDEN, text)))


def _check_application(app: Application, limits: Project, cluster: str, server: str) -> None:
    if app.namespace != limits.namespace and not _any(limits.source_namespaces, app.namespace):
        raise PolicyRefused(
            f"project {limits.name} does not take applications from namespace {app.namespace}: "
            "list it in sourceNamespaces."
        )
    if not repositories.permitted(limits.source_repos, app.source.url):
        raise PolicyRefused(
            f"project {limits.name} does not allow repository {without_credentials(app.source.url)}: "
            f"sourceRepos are {', '.join(limits.source_repos) or 'empty'}."
        )
    if not _destination_allowed(app, limits, app.destination.namespace, cluster, server):
        raise PolicyRefused(_not_there(app, limits, app.destination.namespace, cluster))


def _forbidden(app: Application, limits: Project, key: ObjectKey, cluster: str, server: str) -> str:
    scope = "namespace" if key.namespace else "cluster"
    allowed, denied = (
        (limits.namespaced_allowed, limits.namespaced_denied)
        if key.namespace
        else (limits.cluster_allowed, limits.cluster_denied)
    )
    if _listed(denied, key):
        return f"project {limits.name} lists this kind in {scope}ResourceBlacklist."
    if allowed is not None and not _listed(allowed, key):
        return f"project {limits.name} does not list this kind in {scope}ResourceWhitelist."
    if key.namespace and not _destination_allowed(app, limits, key.namespace, cluster, server):
        return _not_there(app, limits, key.namespace, cluster)
    return ""


def _not_there(app: Application, limits: Project, namespace: str, cluster: str) -> str:
    place = cluster or app.destination.name or app.destination.server
    return f"project {limits.name} does not allow namespace {namespace or '(none)'} of cluster {place} (destinations)."


def _destination_allowed(app: Application, limits: Project, namespace: str, cluster: str, server: str) -> bool:
    servers = {app.destination.server, server} - {""}
    names = {app.destination.name, cluster} - {""}
    allowed = False
    for rule in limits.destinations:
        if _denies(rule, servers, names, namespace):
            return False
        allowed = allowed or (_place(rule, servers, names) and matches_text(rule.namespace, namespace))
    return allowed


def _place(rule: AllowedDestination, servers: set[str], names: set[str]) -> bool:
    """The cluster is named by its server, or by its name where the rule gives one instead."""
    if rule.server:
        return any(matches_text(rule.server, server) for server in servers) or rule.server == EVERYTHING
    return any(matches_text(rule.name, name) for name in names)


def _denies(rule: AllowedDestination, servers: set[str], names: set[str], namespace: str) -> bool:
    """`!` before the cluster denies the namespaces of the rule there, before the namespace it denies that one."""
    refused = rule.namespace.startswith("!") and matches_text(rule.namespace[1:], namespace)
    meant = not refused if rule.namespace.startswith("!") else matches_text(rule.namespace, namespace)
    denied = any(
        text.startswith("!") and matches_text(text[1:], value)
        for text, values in ((rule.server, servers), (rule.name, names))
        for value in values
    )
    return (denied and meant) or (refused and _place(rule, servers, names))


def _listed(rules: Iterable[KindRule], key: ObjectKey) -> bool:
    return any(
        fnmatchcase(key.group, rule.group)
        and fnmatchcase(key.kind, rule.kind)
        and (not rule.name or fnmatchcase(key.name, rule.name))
        for rule in rules
    )


def _any(globs: Iterable[str], text: str) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)
