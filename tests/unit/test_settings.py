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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("REDIS_URL", "foo"),
        ("REDIS_URL", "http://redis:6379"),
        ("REDIS_URL", "redis://:kanarie@redis:abc"),
        ("REDIS_URL", "unix://"),
        ("REDIS_URL", "redis://[::1"),
        ("GIT_MIRRORS", "kanarie"),
        ("GIT_MIRRORS", "https://a/=https://b/, https://kanarie/"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("GIT_TIMEOUT", "soon"),
    ],
)
def test_a_wrong_value_is_named_and_never_repeated_where_it_may_be_secret(name: str, text: str) -> None:
    with pytest.raises(InvalidManifest) as problem:
        read({f"GITOPS_{name}": text})
    assert f"GITOPS_{name}: " in str(problem.value)
    assert "kanarie" not in str(problem.value)


@pytest.mark.parametrize(
    "text",
    ["", "redis://", "redis://h:6379/0", "rediss://:p@h/1", "unix:///run/redis.sock?db=0", "redis://[::1]:6379/0"],
)
def test_every_url_that_a_client_takes_is_taken(text: str) -> None:
    assert read({"GITOPS_REDIS_URL": text}).redis_url == text
