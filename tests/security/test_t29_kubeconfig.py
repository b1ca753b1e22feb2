"""T29: a kubeconfig is data. One that a tenant wrote can run nothing, read nothing and send nothing elsewhere."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gitops_workers.adapters.kubeconfig import Contexts, in_cluster_access, read_kubeconfig, tenant_access
from gitops_workers.core.cluster.access import ClusterAccess
from gitops_workers.core.errors import InvalidManifest

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
PEM64 = base64.b64encode(PEM.encode()).decode()


def kubeconfig(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, name: str = "east") -> str:
    cluster = {"server": "https://api.example.com:6443", "certificate-authority-data": PEM64, **(cluster or {})}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "canary-t29"} if user is None else user}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
        "current-context": name,
    }
    return json.dumps(document)


def tenant(text: str) -> ClusterAccess:
    return tenant_access(text, "tenant", "Secret flux-system/kubeconfig")


def own(tmp_path, text: str, **options: bool) -> Contexts:
    file = tmp_path / "config"
    file.write_text(text)
    return read_kubeconfig(str(file), **options)


def test_a_tenants_inline_credential_is_taken():
    access = tenant(kubeconfig({"tls-server-name": "kubernetes"}))
    assert (access.name, access.server) == ("tenant", "https://api.example.com:6443")
    assert (access.ca, access.token, access.server_name) == (PEM, "canary-t29", "kubernetes")
    certificate = {"client-certificate-data": PEM64, "client-key-data": PEM64}
    assert tenant(kubeconfig(user=certificate)).cert == PEM


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ({"server": "http://api.example.com"}, None),
        ({"server": "http://127.0.0.1:8001"}, None),
        ({"server": "https://bot:canary-t29@api.example.com"}, None),
        ({"server": "https://api.example.com/?x=canary-t29"}, None),
        ({"server": "file:///etc/passwd"}, None),
        ({"server": ""}, None),
        ({"insecure-skip-tls-verify": True}, None),
        ({"certificate-authority": "/etc/passwd"}, None),
        ({"certificate-authority-data": "not base64!"}, None),
        ({"proxy-url": "http://evil.example.com"}, None),
        ({"extensions": [{"name": "x"}]}, None),
        ({}, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": ["{canary}"]}}),
        ({}, {"auth-provider": {"name": "gcp", "config": {"cmd-path": "touch", "cmd-args": "{canary}"}}}),
        ({}, {"tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"}),
        ({}, {"client-certificate": "/etc/passwd", "client-key": "/etc/passwd"}),
        ({}, {"token": "t", "as": "system:admin"}),
        ({}, {"token": "t", "as-groups": ["system:masters"]}),
        ({}, {"username": "admin", "password": "canary-t29"}),
        ({}, {"token": "t", "unheard-of": "x"}),
        ({}, {}),
    ],
)
def test_a_tenants_anything_else_is_refused(cluster, user, tmp_path):
    canary = tmp_path / "canary"
    with pytest.raises(InvalidManifest, match="Secret flux-system/kubeconfig") as caught:
        tenant(kubeconfig(cluster, user).replace("{canary}", str(canary)))
    assert not canary.exists()
    assert "canary-t29" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a: [",
        "token: canary-t29\n  bad: yaml: here",
        "x: &a [1]\ny: *a",
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nclusters: [*b,*b,*b,*b]",
        "[" * 5000,
        "{a: " * 5000,
        "x: " + "y" * (1 << 21),
        "clusters: [1]\nusers: []\ncontexts: []\ncurrent-context: a",
        "clusters: {a: b}\nusers: []\ncontexts: []\ncurrent-context: a",
        "clusters: []\nusers: []\ncontexts: []\ncurrent-context: a",
        "!!python/object/apply:os.system ['true']",
    ],
)
def test_hostile_text_is_a_refusal(text):
    with pytest.raises(InvalidManifest) as caught:
        tenant(text)
    assert "canary-t29" not in str(caught.value)


def test_the_operators_file_may_name_files_beside_it(tmp_path):
    user = {"tokenFile": "token", "client-certificate": "/abs/c.pem", "client-key": "k.pem"}
    access = own(tmp_path, kubeconfig({"certificate-authority": "ca.pem", "certificate-authority-data": ""}, user))
    (found,) = access.accesses
    assert (found.ca_file, found.token_file) == (str(tmp_path / "ca.pem"), str(tmp_path / "token"))
    assert (found.cert_file, found.key_file) == ("/abs/c.pem", str(tmp_path / "k.pem"))
    assert access.current == "east"


def test_the_operators_program_runs_only_when_allowed(tmp_path):
    text = kubeconfig(user={"exec": {"command": "aws", "args": ["eks"], "env": [{"name": "A", "value": "b"}]}})
    refused = own(tmp_path, text)
    assert refused.accesses == ()
    assert [(name, "GITOPS_ALLOW_EXEC" in reason) for name, reason in refused.refused] == [("east", True)]
    plugin = own(tmp_path, text, allow_exec=True).accesses[0].exec
    assert (plugin.command, plugin.args, plugin.env) == ("aws", ("eks",), (("A", "b"),))


@pytest.mark.parametrize("user", [{"auth-provider": {"name": "oidc"}}, {"token": "t", "as-groups": ["g"]}])
def test_what_would_be_another_identity_is_refused_even_to_the_operator(user, tmp_path):
    assert own(tmp_path, kubeconfig(user=user), allow_exec=True).accesses == ()


def test_a_context_that_cannot_be_used_does_not_take_the_others_along(tmp_path):
    document = json.loads(kubeconfig())
    document["contexts"].append({"name": "gone", "context": {"cluster": "nowhere", "user": "u"}})
    found = own(tmp_path, json.dumps(document))
    assert [access.name for access in found.accesses] == ["east"]
    assert found.refused[0][0] == "gone"


def test_of_several_files_the_first_to_name_a_thing_wins(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text(kubeconfig())
    second.write_text(kubeconfig({"server": "https://other.example.com"}).replace('"name": "east"', '"name": "west"'))
    found = read_kubeconfig(f"{first}:{second}")
    assert [(access.name, access.server) for access in found.accesses] == [
        ("east", "https://api.example.com:6443"),
        ("west", "https://api.example.com:6443"),
    ]


def test_a_pod_knows_its_own_cluster(tmp_path):
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert in_cluster_access(environment, tmp_path) is None
    (tmp_path / "token").write_text("t")
    access = in_cluster_access(environment, tmp_path)
    assert (access.name, access.server, access.token_file) == (
        "in-cluster",
        "https://[fd00::1]:443",
        f"{tmp_path}/token",
    )
