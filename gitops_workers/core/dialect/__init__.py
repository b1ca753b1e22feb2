"""How the two dialects differ once a manifest is read: one frozen policy per dialect, and the registry that chooses it.

In this room: `policy` says what may differ, `argocd` and `flux` say how. Nothing else asks which dialect an application
has: it takes the field of the policy that answers its question. A new difference is a new field, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gitops_workers.core.dialect.policy import DialectPolicy
from gitops_workers.core.model import Dialect

__all__ = ["DialectPolicy", "policy_of"]


def policy_of(dialect: Dialect) -> DialectPolicy:
    """The policy of the applications of this dialect."""
    return _policies()[dialect]


@cache
def _policies() -> Mapping[Dialect, DialectPolicy]:
    """The registry. A policy is made of the rules of all rooms of `core`, and those rooms ask here: hence so late."""
    from gitops_workers.core.dialect import argocd, flux  # noqa: PLC0415

    return {Dialect.ARGOCD: argocd.POLICY, Dialect.FLUX: flux.POLICY}
