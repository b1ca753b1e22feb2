"""T29: a cluster Secret is data, never a program, a path, a proxy or a way around TLS."""

import base64
import json

import pytest

from gitops_workers.dialects.argocd.cluster_secret import ClusterRules, cluster_secrets
from gitops_workers.dialects.configs import ConfigObject

PEM = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()
GOOD = {"bearerToken": "canary-token", "tlsClientConfig": {"caData": PEM}}


def cluster(config, *, rules=None, labels=None, **data):
    text = config if isinstance(config, str) else json.dumps(config)
    values = {"name": "east", "server": "https://east.example.com:6443", "config": text, **data}
    secret = ConfigObject(
        "Secret",
        "argocd",
        "east",
        {key: value.encode() for key, value in values.items()},
        {"argocd.argoproj.io/secret-type": "cluster", **(labels or {})},
        origin="clusters.yaml",
    )
    return cluster_secrets([secret], rules)


def test_a_token_and_an_inline_authority_are_all_it_takes():
    (access,), problems = cluster(
        GOOD, namespaces="a, b", clusterResources="true", project="shop", labels={"gitops-workers.dev/fleet": "edge"}
    )

    assert problems == []
    assert (access.name, access.server, access.token) == ("east", "https://east.example.com:6443", "canary-token")
    assert access.ca.startswith("-----BEGIN CERTIFICATE-----")
    assert (access.namespaces, access.cluster_resources, access.project, access.fleet) == (
        ("a", "b"),
        True,
        "shop",
        "edge",
    )
    assert "canary" not in repr(access)


def test_a_client_certificate_works_too():
    (access,), _ = cluster({"tlsClientConfig": {"caData": PEM, "certData": PEM, "keyData": PEM, "serverName": "x"}})

    assert access.cert == access.key != ""
    assert access.server_name == "x"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"execProviderConfig": {"command": "touch", "args": ["/tmp/x"]}}, "config.execProviderConfig"),
        ({"awsAuthConfig": {"clusterName": "x"}}, "config.awsAuthConfig"),
        ({"tlsClientConfig": {"insecure": True}}, "config.tlsClientConfig.insecure"),
        ({"tlsClientConfig": {"caFile": "/etc/passwd"}}, "config.tlsClientConfig.caFile"),
        ({"tlsClientConfig": {"certFile": "/x", "caData": PEM}}, "config.tlsClientConfig.certFile"),
        ({"tlsClientConfig": {"keyFile": "/x"}}, "config.tlsClientConfig.keyFile"),
        ({"bearerTokenFile": "/var/run/secrets/token"}, "config.bearerTokenFile"),
        ({"proxyUrl": "http://proxy.example.com"}, "config.proxyUrl"),
        ({"authProvider": {"name": "gcp"}}, "config.authProvider"),
        ({"tlsClientConfig": {"caData": "canary-no-pem"}}, "config.tlsClientConfig.caData"),
        ({"tlsClientConfig": {"certData": PEM}}, "config.tlsClientConfig"),
        ({"bearerToken": 7}, "config.bearerToken"),
        ({"password": "canary"}, "config.username"),
    ],
)
def test_each_door_is_closed_by_itself_and_named(config, field):
    found, (problem,) = cluster(config)

    assert found == ()
    assert problem.path == field
    assert (problem.file, problem.known) == ("clusters.yaml", False)
    assert "Secret argocd/east" in problem.message
    assert "canary" not in problem.message


@pytest.mark.parametrize(
    "server",
    [
        "http://10.0.0.1",
        "HTTP://10.0.0.1",
        "http://127.0.0.1:8001",
        "Http://localhost",
        "http://[::1]",
        "https://a:b@host",
        "ftp://x",
        "host",
        "https://h/?a=b",
        "",
    ],
)
def test_the_address_is_https_and_nothing_but_an_address(server):
    found, problems = cluster(GOOD, server=server)

    assert found == ()
    assert [problem.path for problem in problems] == ["server"]


@pytest.mark.parametrize(
    "text",
    [
        "canary{",
        "[]",
        "7",
        '"x"',
        pytest.param("[" * 100_000, id="deep"),
        pytest.param(f'{{"a":{" " * 300_000}1}}', id="long"),
    ],
)
def test_a_config_that_is_no_small_mapping_is_refused_without_showing_it(text):
    found, problems = cluster(text)

    assert found == ()
    assert [problem.path for problem in problems] == ["config"]
    assert "canary" not in problems[0].message


@pytest.mark.parametrize(("server", "taken"), [("http://127.0.0.1:8001", True), ("http://10.0.0.1", False)])
def test_the_operator_may_allow_a_proxy_on_this_machine_and_no_other_plain_http(server, taken):
    found, _ = cluster(GOOD, server=server, rules=ClusterRules(insecure=True))

    assert bool(found) is taken


def test_only_the_operators_rules_open_a_door():
    config = {"execProviderConfig": {"command": "aws", "args": ["eks"], "env": {"A": "b"}}, "proxyUrl": "http://p"}

    (access,), problems = cluster(config, rules=ClusterRules(exec=True, proxy=True))

    assert problems == []
    assert access.exec is not None
    assert (access.exec.command, access.exec.args, access.exec.env) == ("aws", ("eks",), (("A", "b"),))
    assert access.proxy == "http://p"


def test_one_refused_cluster_harms_no_other_and_a_name_is_taken_once():
    def secret(name, config):
        data = {"name": b"east", "server": b"https://x.example.com", "config": json.dumps(config).encode()}
        return ConfigObject("Secret", "argocd", name, data, {"argocd.argoproj.io/secret-type": "cluster"})

    found, problems = cluster_secrets([secret("a", {"proxyUrl": "x"}), secret("b", GOOD), secret("c", GOOD)])

    assert [access.name for access in found] == ["east"]
    assert ["refused" in problems[0].message, "declared twice" in problems[1].message] == [True, True]
