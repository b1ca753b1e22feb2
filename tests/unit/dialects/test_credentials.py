"""Secrets of either dialect as Git credentials: which one a URL gets, and what is refused."""

import pytest

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.source.credentials import Credential
from gitops_workers.dialects.argocd.repository_secret import repository_secrets
from gitops_workers.dialects.configs import ConfigObject
from gitops_workers.dialects.credentials import flux_credential

HTTPS, SSH = "https://git.example.com/team/shop", "ssh://git@git.example.com/team/shop"
ORIGIN = "Secret flux-system/login"


def secret(kind, url, name="s", **data):
    values = {"url": url, **data}
    return ConfigObject(
        "Secret", "argocd", name, {key: value.encode() for key, value in values.items()},
        {"argocd.argoproj.io/secret-type": kind}, origin="repos.yaml",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "data", "expected"),
    [
        (HTTPS, {"username": b"bot", "password": b"p\n"}, Credential(username="bot", password="p")),
        (HTTPS, {"bearerToken": b"t"}, Credential(bearer_token="t")),
        (HTTPS, {"ca.crt": b"PEM", "caFile": b"old"}, Credential(ca="PEM")),
        (HTTPS, {"caFile": b"old"}, Credential(ca="old")),
        (HTTPS, {"tls.crt": b"c", "tls.key": b"k"}, Credential(client_certificate="c", client_key="k")),
        (SSH, {"identity": b"key\n", "known_hosts": b"h"}, Credential(ssh_private_key="key\n", known_hosts="h")),
        (SSH, {"identity": b"k", "known_hosts": b"h", "password": b"p"},
         Credential(ssh_private_key="k", known_hosts="h", password="p")),
    ],
)  # fmt: skip
def test_flux_secrets(url, data, expected):
    assert flux_credential(data, url, ORIGIN) == expected


@pytest.mark.parametrize(
    ("url", "data", "named"),
    [
        (HTTPS, {"password": b"canary"}, "username"),
        (HTTPS, {"tls.crt": b"canary"}, "tls.key"),
        (HTTPS, {"identity": b"canary"}, "username and password"),
        (HTTPS, {"githubAppID": b"canary"}, "GitHub App"),
        (HTTPS, {"password": b"canary\xff", "username": b"x"}, "password is no text"),
        (SSH, {"identity": b"canary"}, "known_hosts"),
        (SSH, {"username": b"canary", "password": b"canary"}, "identity and known_hosts"),
    ],
)
def test_an_incomplete_flux_secret_names_the_key_and_no_value(url, data, named):
    with pytest.raises(InvalidManifest) as caught:
        flux_credential(data, url, ORIGIN)

    assert named in str(caught.value)
    assert ORIGIN in str(caught.value)
    assert "canary" not in str(caught.value)


def found(url, *secrets, project=""):
    declared, problems = repository_secrets(secrets)
    assert problems == []
    credential = declared.credential(url, project)
    return credential.password if credential else None


def test_a_repository_gets_its_own_secret_whatever_way_its_url_is_written():
    own = secret("repository", "https://git.example.com/Team/shop.git", username="a", password="own")

    assert found("https://GIT.example.com:443/team/shop/", own) == "own"
    assert found("https://git.example.com/team/shop2", own) is None


def test_the_longest_template_wins_and_only_without_an_own_credential():
    host = secret("repo-creds", "https://git.example.com", username="a", password="host")
    team = secret("repo-creds", "https://git.example.com/team", username="a", password="team")
    bare = secret("repository", HTTPS)
    own = secret("repository", HTTPS, username="a", password="own")

    assert found(HTTPS, host, team) == "team"
    assert found(HTTPS, host, team, bare) == "team"
    assert found(HTTPS, team, host, own) == "own"
    assert found("https://git.example.com/other/x", host, team) == "host"


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com.attacker.test/team/shop",
        "https://git.example.com@attacker.test/team/shop",
        "https://git.example.com/team-of-others/shop",
        "http://git.example.com/team/shop",
        "https://git.example.com:8443/team/shop",
        "ssh://git@git.example.com/team/shop",
        "https://attacker.test/https://git.example.com/team/shop",
    ],
)
def test_a_template_never_reaches_another_server_or_a_name_that_only_begins_alike(url):
    assert found(url, secret("repo-creds", "https://git.example.com/team", username="a", password="canary")) is None


def test_scp_and_ssh_urls_of_a_host_share_a_template():
    template = secret("repo-creds", "git@git.example.com:team", password="p", sshPrivateKey="key")

    assert found("ssh://git@git.example.com/team/shop", template) == "p"


def test_a_project_sees_its_own_secret_first_and_no_other_projects():
    everybody = secret("repository", HTTPS, username="a", password="all")
    mine = secret("repository", HTTPS, username="a", password="mine", project="shop")

    assert found(HTTPS, everybody, mine, project="shop") == "mine"
    assert found(HTTPS, everybody, mine, project="other") == "all"
    assert found(HTTPS, mine, project="other") is None


def test_host_keys_and_authorities_come_from_argo_cds_config_maps():
    def config(name, **data):
        return ConfigObject("ConfigMap", "argocd", name, {key: value.encode() for key, value in data.items()})

    authorities = config("argocd-tls-certs-cm", **{"git.example.com": "PEM"})
    declared, _ = repository_secrets([config("argocd-ssh-known-hosts-cm", ssh_known_hosts="hosts"), authorities])

    assert declared.credential(HTTPS) == Credential(known_hosts="hosts", ca="PEM")


@pytest.mark.parametrize("key", ["insecure", "insecureIgnoreHostKey", "githubAppID", "proxy", "gcpServiceAccountKey"])
def test_what_a_repository_secret_may_not_ask_for_is_its_own_problem(key):
    bad = secret("repository", HTTPS, name="bad", password="canary", username="a", **{key: "true"})
    good = secret("repository", "https://git.example.com/other", username="a", password="p")

    declared, (problem,) = repository_secrets([bad, good])

    assert [item.url for item in declared.secrets] == ["https://git.example.com/other"]
    assert f"Secret argocd/bad: {key}" in problem.message
    assert "canary" not in problem.message


def test_helm_repositories_are_left_to_a_later_version():
    assert found(HTTPS, secret("repository", HTTPS, type="helm", username="a", password="p")) is None


def test_nothing_of_a_secret_shows_itself():
    declared, _ = repository_secrets([secret("repository", HTTPS, username="a", password="canary")])

    assert "canary" not in repr(declared)
