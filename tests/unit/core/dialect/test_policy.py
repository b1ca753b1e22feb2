"""The registry of dialect policies."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from gitops_workers.core.dialect import DialectPolicy, policy_of
from gitops_workers.core.model import Dialect


def test_every_dialect_has_one_frozen_policy():
    for dialect in Dialect:
        policy = policy_of(dialect)
        assert isinstance(policy, DialectPolicy)
        assert policy is policy_of(Dialect(dialect.value))
        with pytest.raises(FrozenInstanceError):
            policy.governed = not policy.governed  # type: ignore[misc]
