"""What an application may do, decided over the final objects at every verb; everything not allowed is refused.

A project that the catalogue declares allows what its lists say (argocd.md 1.7); `default` allows everything where it is
not declared. Any other project that is not declared allows nothing, so a typing error in `spec.project` cannot widen
anybody's rights. What is the engine's own (core.reserved) is nobody's to manage, whatever a project allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gitops_workers.core.cluster.access import ClusterIdentity
from gitops_workers.core.errors import PolicyRefused
from gitops_workers.core.model import Application, Condition
from gitops_workers.core.objects import ObjectKey
from gitops_workers.core.policy import allowed_destinations, allowed_repositories
from gitops_workers.core.policy.project import KindRule, Project
from gitops_workers.core.policy.reserved import reserved
from gitops_workers.core.settings.governing import in_reach
from gitops_workers.core.text.globs import matches_text
from gitops_workers.core.text.name_patterns import matches_name

DEFAULT = "default"
FORBIDDEN = "ForbiddenResourceWarning"
"""The condition about live objects that the project has come to forbid."""


def check(app: Application, keys: Iterable[ObjectKey], cluster: ClusterIdentity) -> None:
    """Pass, or raise PolicyRefused naming the project or the object and what is allowed.

    `cluster` is the destination as this installation knows it, never as the manifest spells it.
    """
    limits = app.limits
    if limits is None and app.project != DEFAULT:
        raise PolicyRefused(
            f"spec.project: project {app.project!r} is not in the catalogue. Add its AppProject or correct the name."
        )
    if reason := in_reach(app, cluster):
        raise PolicyRefused(reason)
    if limits is not None:
        _check_application(app, limits, cluster)
    for key in keys:
        if reason := reserved(key) or _forbidden(app, key, cluster):
            raise PolicyRefused(f"{key}: {reason}")


def allows(app: Application, key: ObjectKey, cluster: ClusterIdentity) -> bool:
    """Whether the application may touch an object at all; what it may not touch it does not prune."""
    return not _forbidden(app, key, cluster)


def denied_objects(app: Application, keys: Iterable[ObjectKey], cluster: ClusterIdentity) -> dict[ObjectKey, str]:
    """Those of the keys that the application may not touch, with the reason."""
    return {key: reason for key in keys if (reason := _forbidden(app, key, cluster))}


def with_denied_condition(app: Application, stays: Mapping[ObjectKey, str]) -> Application:
    """The application with a condition about what left Git and is `barred`."""
    if not stays:
        return app
    key, reason = next(iter(stays.items()))
    more = f" (and {len(stays) - 1} more)" if len(stays) > 1 else ""
    text = f"{key}{more} left Git and stays: {reason} Allow it there, or delete it by hand."
    return replace(app, conditions=(*app.conditions, Condition(FORBIDDEN, text)))


def allows_repository(app: Application) -> Callable[[str], bool]:
    """Whether the application may read a repository: the rule for its own source, for whatever that leads to."""
    limits = app.limits
    if limits is None:
        return lambda _: app.project == DEFAULT
    return lambda url: allowed_repositories.allows(limits.source_repos, url)


def _check_application(app: Application, limits: Project, cluster: ClusterIdentity) -> None:
    if app.namespace != limits.namespace and not _any(limits.source_namespaces, app.namespace):
        raise PolicyRefused(
            f"project {limits.name} does not take applications from namespace {app.namespace}: "
            "list it in sourceNamespaces."
        )
    if not allowed_repositories.allows(limits.source_repos, app.source.url):
        raise PolicyRefused(
            f"project {limits.name} does not allow repository {app.source.shown}: "
            f"sourceRepos are {', '.join(limits.source_repos) or 'empty'}."
        )
    if not allowed_destinations.allows(limits.destinations, cluster, app.destination.namespace):
        raise PolicyRefused(_not_there(limits, app.destination.namespace, cluster))


def _forbidden(app: Application, key: ObjectKey, cluster: ClusterIdentity) -> str:
    if app.installation is not None and (setting := app.installation.excludes(key.group, key.kind, cluster)):
        return f"argocd-cm takes this kind out of sight ({setting})."
    if cluster.namespaces and not (key.namespace in cluster.namespaces if key.namespace else cluster.cluster_resources):
        what = f"namespace {key.namespace} is" if key.namespace else "objects without a namespace are"
        return f"{what} not among what the Secret of cluster {cluster} lets us manage (namespaces, clusterResources)."
    return _forbidden_by(app.limits, key, cluster) if app.limits is not None else ""


def _forbidden_by(limits: Project, key: ObjectKey, cluster: ClusterIdentity) -> str:
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
    if key.namespace and not allowed_destinations.allows(limits.destinations, cluster, key.namespace):
        return _not_there(limits, key.namespace, cluster)
    return ""


def _not_there(limits: Project, namespace: str, cluster: ClusterIdentity) -> str:
    where = f"namespace {namespace or '(none)'} of cluster {cluster}"
    return f"project {limits.name} does not allow {where} (destinations)."


def _listed(rules: Iterable[KindRule], key: ObjectKey) -> bool:
    return any(
        matches_text(rule.group, key.group)
        and matches_text(rule.kind, key.kind)
        and (not rule.name or matches_text(rule.name, key.name))
        for rule in rules
    )


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(matches_name(pattern, name) for pattern in patterns)
