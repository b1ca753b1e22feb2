"""The operator's kubeconfig, read by us and by the official client: the same server, trust and identity."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config

from gitops_workers.adapters.cluster.credentials import obtain
from gitops_workers.adapters.kubeconfig import read_kubeconfig

Entry = Mapping[str, Any]
PLUGIN = """
import os, pathlib, sys
pathlib.Path(sys.argv[1]).write_text(os.environ["KUBERNETES_EXEC_INFO"])
print(sys.argv[2])
"""


def pem_pair() -> tuple[str, str]:
    """A self-signed certificate and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


CERTIFICATE, KEY = pem_pair()


def inline(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(folder: Path, cluster: Entry, user: Entry) -> Path:
    """A kubeconfig; `ca.crt`, `client.crt`, `client.key` and `token` lie beside it."""
    for name, text in (("ca.crt", CERTIFICATE), ("client.crt", CERTIFICATE), ("client.key", KEY), ("token", "filed")):
        (folder / name).write_text(text)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example.com:6443/k8s/", **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "east", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "east",
    }
    path = folder / "config"
    path.write_text(json.dumps(document))
    return path


def official(path: Path) -> dict[str, Any]:
    found = Configuration()
    load_kube_config(str(path), client_configuration=found)
    texts = [Path(name).read_text() if name else "" for name in (found.ssl_ca_cert, found.cert_file, found.key_file)]
    return {
        "server": found.host,
        "authorization": found.api_key.get("BearerToken"),
        "trust": texts[0],
        "client": tuple(texts[1:]),
        "verified": found.verify_ssl,
        "name": found.tls_server_name or "",
        "proxy": found.proxy or "",
    }


def ours(path: Path) -> dict[str, Any]:
    (access,) = read_kubeconfig(str(path), allow_exec=True).accesses
    credential = obtain(access)
    assert credential.context is not None

    def text(content: str, file: str) -> str:
        return content or (Path(file).read_text() if file else "")

    return {
        "server": access.server.rstrip("/"),
        "authorization": credential.headers.get("Authorization"),
        "trust": text(access.ca, access.ca_file),
        "client": (text(access.cert, access.cert_file), text(access.key, access.key_file)),
        "verified": credential.context.verify_mode is ssl.CERT_REQUIRED,
        "name": access.server_name,
        "proxy": access.proxy,
    }


@pytest.mark.parametrize(
    "cluster",
    [
        {},
        {"certificate-authority-data": inline(CERTIFICATE)},
        {"certificate-authority": "ca.crt"},
        {"insecure-skip-tls-verify": True},
        {"tls-server-name": "kubernetes", "proxy-url": "http://proxy.example.com:3128"},
    ],
    ids=lambda cluster: "+".join(cluster) or "plain",
)
@pytest.mark.parametrize(
    "user",
    [
        {},
        {"token": "inline"},
        {"tokenFile": "token"},
        {"username": "ada", "password": "secret"},
        {"client-certificate-data": inline(CERTIFICATE), "client-key-data": inline(KEY)},
        {"client-certificate": "client.crt", "client-key": "client.key", "token": "inline"},
        {"token": "inline", "username": "ada", "password": "secret"},
    ],
    ids=lambda user: "+".join(user) or "anonymous",
)
def test_both_read_the_same_server_trust_and_identity(tmp_path: Path, cluster: Entry, user: Entry) -> None:
    path = written(tmp_path, cluster, user)
    assert ours(path) == official(path)


def test_both_tell_a_credential_program_the_same_and_take_its_token(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    version = "client.authentication.k8s.io/v1"
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": "printed"}}
    plugin = {
        "apiVersion": version,
        "command": sys.executable,
        "args": ["-c", PLUGIN, str(seen), json.dumps(answer)],
        "provideClusterInfo": True,
    }
    path = written(tmp_path, {"certificate-authority-data": inline(CERTIFICATE)}, {"exec": plugin})
    told = []
    for read in (ours, official):
        assert read(path)["authorization"] == "Bearer printed"
        told.append(json.loads(seen.read_text()))
    assert told[0]["spec"]["cluster"].pop("insecure-skip-tls-verify") is False  # the client leaves the default out
    assert told[0] == told[1]
