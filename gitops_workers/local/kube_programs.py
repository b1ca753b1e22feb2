"""The command lines of a local control plane's programs, and the files they read.

Each flag that is not obvious says what fails without it. No secret is an argument: tokens and keys are private files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

STAGES = Path(__file__).with_name("kwok-stages.yaml")
"""What kwok plays: pods run at once, Jobs complete."""

_OFF = (
    # There are no real nodes, addresses or volumes to manage. An unknown name ends the program.
    "node-ipam-controller",
    "node-lifecycle-controller",
    "persistentvolume-binder-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-expander-controller",
    "ephemeral-volume-controller",
    # Its API is off by default in 1.37, and it says so in the log several times a second.
    "kube-apiserver-serving-clustertrustbundle-publisher-controller",
)


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A bearer token that an API server accepts, and whom it stands for."""

    token: str
    user: str
    groups: tuple[str, ...] = ()


def write_private(path: Path, text: str) -> Path:
    """Write a file that only we can read, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    return part.replace(path)


def write_tokens(path: Path, tokens: Sequence[StaticToken]) -> Path:
    """Write a static token file: token, user, uid, "group,group"."""
    lines = (f'{item.token},{item.user},{item.user},"{",".join(item.groups)}"\n' for item in tokens)
    return write_private(path, "".join(lines))


def write_service_account_key(path: Path) -> Path:
    """Write a fresh key that signs service account tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return write_private(path, pem.decode())


def write_config(path: Path, kubeconfig: Mapping[str, Any]) -> Path:
    """Write a kubeconfig."""
    return write_private(path, yaml.safe_dump(dict(kubeconfig), sort_keys=False))


def etcd(program: Path, data: Path) -> list[str]:
    """Return etcd's command line; it listens on unix sockets in `data`, so nobody else on the machine reads Secrets."""
    return [
        str(program),
        "etcd",
        f"--data-dir={data / 'data'}",
        f"--listen-client-urls={etcd_url(data)}",
        f"--advertise-client-urls={etcd_url(data)}",
        f"--listen-peer-urls=unix://{data / 'peer'}",
        "--unsafe-no-fsync=true",  # a laptop's disk would set the pace of every write; nothing here must survive
        "--log-level=warn",
    ]


def etcd_url(data: Path) -> str:
    """Return the URL of the etcd of a folder."""
    return f"unix://{data / 'client'}"


AUDITED = "engine"
"""The user whose requests an audited plane counts."""

_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "users": [AUDITED]}, {"level": "None"}],
}


def audit_flags(folder: Path) -> list[str]:
    """Return flags that log one line per request of the user `engine` to `audit.log`: what benches count."""
    policy = folder / "audit.yaml"
    policy.write_text(yaml.safe_dump(_AUDIT_POLICY))
    return [f"--audit-policy-file={policy}", f"--audit-log-path={folder / 'audit.log'}", "--audit-log-mode=batch"]


def apiserver(program: Path, folder: Path, *, port: int, etcd_url: str, prefix: str) -> list[str]:
    """Return kube-apiserver's command line for a plane whose files are in `folder`."""
    return [
        str(program),
        "kube-apiserver",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",  # without it a machine that has no default route cannot start
        "--endpoint-reconciler-type=none",  # an Endpoints object may not hold a loopback address
        f"--secure-port={port}",
        "--permit-port-sharing=true",  # we hold the port too, so that nobody takes it between two starts
        f"--cert-dir={folder / 'certs'}",
        f"--etcd-servers={etcd_url}",
        f"--etcd-prefix={prefix}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'service-account.key'}",
        f"--service-account-signing-key-file={folder / 'service-account.key'}",
        "--allow-privileged=true",
        "--profiling=false",
    ]


def controller_manager(program: Path, folder: Path) -> list[str]:
    """Return kube-controller-manager's command line."""
    return [
        str(program),
        "kube-controller-manager",
        f"--kubeconfig={folder / 'admin.kubeconfig'}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=false",
        f"--service-account-private-key-file={folder / 'service-account.key'}",
        f"--root-ca-file={folder / 'certs' / 'apiserver.crt'}",
        f"--controllers={','.join(['*', *(f'-{name}' for name in _OFF)])}",
        # At the default of 20 requests a second 200 new Deployments take half a minute to be noticed.
        "--kube-api-qps=300",
        "--kube-api-burst=600",
        "--profiling=false",
    ]


def scheduler(program: Path, folder: Path) -> list[str]:
    """Return kube-scheduler's command line."""
    return [
        str(program),
        "kube-scheduler",
        f"--kubeconfig={folder / 'admin.kubeconfig'}",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    ]


def kwok(program: Path, folder: Path, stages: Path) -> list[str]:
    """Return kwok's command line: it plays every node and its pods."""
    return [
        str(program),
        f"--kubeconfig={folder / 'admin.kubeconfig'}",
        f"--config={stages}",
        "--manage-all-nodes=true",
    ]
