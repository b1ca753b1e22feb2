"""Every GITOPS_GIT_* setting reaches the Git adapter."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.settings import read
from gitops_workers.wiring.git import git_settings


def test_each_setting_arrives() -> None:
    found = git_settings(
        read(
            {
                "GITOPS_GIT_SCHEMES": "https,file",
                "GITOPS_GIT_MIRRORS": "https://github.com/myorg/=https://mirror.internal/myorg/",
                "GITOPS_GIT_PRIVATE_HOSTS": "git.internal,localhost",
                "GITOPS_GIT_TIMEOUT": "7",
            }
        )
    )
    assert found.schemes == {"https", "file"}
    assert found.mirrors == (("https://github.com/myorg/", "https://mirror.internal/myorg/"),)
    assert found.private_hosts == {"git.internal", "localhost"}
    assert found.fetch_timeout == 7


def test_a_mirror_without_a_replacement_is_refused() -> None:
    with pytest.raises(InvalidManifest, match="GITOPS_GIT_MIRRORS: entry 1 is not of the form prefix=replacement"):
        git_settings(read({"GITOPS_GIT_MIRRORS": "https://github.com/"}))
