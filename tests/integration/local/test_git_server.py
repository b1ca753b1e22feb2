"""The local Git servers, asked by the git program itself."""

from __future__ import annotations

import os
import subprocess

import pytest

from gitops_workers.local.git_server import Traffic, git_server
from tests.servers.git_ssh import generate_key, git_ssh


def test_a_clone_has_the_content(repositories, git, tmp_path):
    with git_server(repositories) as server:
        git("clone", "-q", server.url("team/app.git"), tmp_path / "clone")
    assert (tmp_path / "clone" / "app.yaml").read_text() == "kind: ConfigMap\n"


def test_listing_and_fetching_are_counted_apart(repositories, git, tmp_path):
    with git_server(repositories) as server:
        url = server.url("team/app.git")
        git("ls-remote", url)
        assert server.traffic == Traffic(advertisements=1, listings=1)
        git("clone", "-q", "--bare", url, tmp_path / "clone.git")
        assert server.traffic == Traffic(advertisements=2, listings=2, fetches=1)
        git("-C", tmp_path / "clone.git", "fetch", "-q", url, "main")
        assert server.traffic == Traffic(advertisements=3, listings=3, fetches=1), (
            "nothing new: no objects are asked for"
        )


def test_a_push_arrives_when_it_is_allowed(repositories, git, tmp_path):
    clone = tmp_path / "clone"
    with git_server(repositories, push=True) as server:
        git("clone", "-q", server.url("team/app.git"), clone)
        # Over a megabyte and incompressible, so that git sends it in HTTP chunks.
        (clone / "blob").write_bytes(os.urandom(3_000_000))
        git("-C", clone, "add", ".")
        git("-C", clone, "commit", "-q", "-m", "second")
        git("-C", clone, "push", "-q", "origin", "main")
        assert server.traffic.pushes >= 1
    assert git("-C", repositories / "team/app.git", "rev-parse", "main") == git("-C", clone, "rev-parse", "HEAD")


def test_a_push_is_refused_by_default(repositories, git, tmp_path):
    clone = tmp_path / "clone"
    before = git("-C", repositories / "team/app.git", "rev-parse", "main")
    with git_server(repositories) as server:
        git("clone", "-q", server.url("team/app.git"), clone)
        git("-C", clone, "commit", "-q", "--allow-empty", "-m", "second")
        with pytest.raises(subprocess.CalledProcessError) as refusal:
            git("-C", clone, "push", "-q", "origin", "main")
    assert "403" in refusal.value.stderr
    assert git("-C", repositories / "team/app.git", "rev-parse", "main") == before


@pytest.mark.parametrize(
    ("credential", "admitted"), [("u:right@", True), ("u:wrong@", False), ("other:right@", False), ("", False)]
)
def test_a_credential_is_needed_where_one_is_set(repositories, git, credential, admitted):
    with git_server(repositories, user="u", password="right") as server:
        url = server.url("team/app.git").replace("http://", f"http://{credential}")
        if admitted:
            assert "refs/heads/main" in git("ls-remote", url)
        else:
            with pytest.raises(subprocess.CalledProcessError):
                git("ls-remote", url)
            assert server.traffic.refused >= 1
            assert server.traffic.advertisements == 0


@pytest.mark.parametrize("path", ["team/none.git", "../work", "team/app.git/../../../work", "%2e%2e/work"])
def test_nothing_outside_the_folder_is_served(repositories, git, path):
    with git_server(repositories) as server, pytest.raises(subprocess.CalledProcessError):
        git("ls-remote", server.url(path))


def test_a_hanging_server_answers_nobody_until_it_resumes(repositories, git):
    with git_server(repositories) as server:
        server.hang()
        with pytest.raises(subprocess.TimeoutExpired):
            git("ls-remote", server.url("team/app.git"), timeout=1)
        server.resume()
        assert "refs/heads/main" in git("ls-remote", server.url("team/app.git"))


def test_ssh_serves_the_holder_of_the_key_only(repositories, git, tmp_path):
    private, authorized = generate_key()
    stranger, _ = generate_key()
    known_hosts = tmp_path / "known_hosts"

    def ssh(name: str, key: str) -> str:
        (tmp_path / name).write_text(key)
        (tmp_path / name).chmod(0o600)
        options = f"-F none -o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
        return f"ssh {options} -i {tmp_path / name}"

    with git_ssh(repositories, authorized) as server:
        known_hosts.write_text(server.known_hosts + "\n")
        command = ssh("id", private)
        git("clone", "-q", server.url("team/app.git"), tmp_path / "clone", GIT_SSH_COMMAND=command)
        assert (tmp_path / "clone" / "app.yaml").exists()
        with pytest.raises(subprocess.CalledProcessError):
            git("ls-remote", server.url("../work"), GIT_SSH_COMMAND=command)
        with pytest.raises(subprocess.CalledProcessError):
            git("ls-remote", server.url("team/app.git"), GIT_SSH_COMMAND=ssh("stranger", stranger))
