"""All of Argo CD's built-in rules in one table, and the lookup in it."""

from __future__ import annotations

import functools
from fnmatch import fnmatchcase

from gitops_workers.core.health import batch, networking, pods, workloads
from gitops_workers.core.health.kinds import (
    argoproj,
    cloud,
    cluster_api,
    crossplane,
    databases,
    elastic,
    flux,
    gateway_api,
    gateways,
    grafana,
    knative,
    kruise,
    kubevirt,
    mariadb,
    messaging,
    numaproj,
    observability,
    open_cluster_management,
    openshift,
    promoter,
    secrets,
    serverless,
    storage,
    threescale,
)
from gitops_workers.core.health.rules import Rule, Table

_MODULES = (
    workloads,
    pods,
    batch,
    networking,
    argoproj,
    cloud,
    cluster_api,
    crossplane,
    databases,
    elastic,
    flux,
    gateway_api,
    gateways,
    grafana,
    knative,
    kruise,
    kubevirt,
    mariadb,
    messaging,
    numaproj,
    observability,
    open_cluster_management,
    openshift,
    promoter,
    secrets,
    serverless,
    storage,
    threescale,
)

RULES: Table = {name: rule for module in _MODULES for name, rule in module.RULES.items()}
_PATTERNS = tuple(name for name in RULES if "*" in name)


@functools.lru_cache(maxsize=4096)
def rule_for(group: str, kind: str) -> Rule | None:
    """The rule of a kind: its own before one with a wildcard; None means that the kind has no health."""
    name = f"{group}/{kind}"
    if name in RULES:
        return RULES[name]
    return next((RULES[pattern] for pattern in _PATTERNS if fnmatchcase(name, pattern)), None)
