"""Numbers of the environment: what is allowed, and what is said of the rest."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.settings import environment_of, read


@pytest.mark.parametrize("text", ["0", "0.0", "600"])
def test_no_deadline_can_be_written_down(text: str) -> None:
    settings = read({"GITOPS_SYNC_TIMEOUT": text})
    assert settings.sync_timeout == float(text)
    assert read(environment_of(settings)) == settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("GITOPS_SYNC_TIMEOUT", "-1"),
        ("GITOPS_SYNC_TIMEOUT", "nan"),
        ("GITOPS_SYNC_TIMEOUT", "1e12"),
        ("GITOPS_LEASE", "0"),
        ("GITOPS_CONCURRENCY", "0"),
    ],
)
def test_a_number_out_of_bounds_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidManifest, match=f"{name}: found '{text}', expected a number"):
        read({name: text})
