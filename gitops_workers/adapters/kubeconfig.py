"""Kubeconfigs as `ClusterAccess` values.

Two kinds of file, two levels of trust. The operator's own (GITOPS_KUBECONFIG) may name files, a proxy, switched-off TLS
for a cluster, and with `allow_exec` a credential program. One that a tenant wrote (a Secret that a Flux object points
at) may only hold an https server, its CA and a token or certificate, all inline: anything else is a way to run programs
here, to read this host's files, or to hand a credential to a stranger (CVE-2022-24817, T29).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from gitops_workers.core.cluster.access import IN_CLUSTER, ClusterAccess, ExecPlugin, server_problem
from gitops_workers.core.errors import InvalidManifest

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

LARGEST = 1 << 20
DEEPEST = 16
"""Characters and nesting of a tenant's kubeconfig: a Secret holds no more, and a real one has five levels."""

_TENANT_CLUSTER = frozenset({"server", "certificate-authority-data", "tls-server-name"})
_TENANT_USER = frozenset({"token", "client-certificate-data", "client-key-data"})
_OWN_CLUSTER = _TENANT_CLUSTER | {
    "certificate-authority",
    "insecure-skip-tls-verify",
    "proxy-url",
    "disable-compression",  # a hint; we ask for no compression anyway
    "extensions",
}
_OWN_USER = _TENANT_USER | {
    "tokenFile",
    "client-certificate",
    "client-key",
    "username",
    "password",
    "as",
    "exec",
    "extensions",
}


@dataclass(frozen=True, slots=True)
class Contexts:
    """The contexts of one or several kubeconfigs. `current` is the name of one of them, or empty."""

    accesses: tuple[ClusterAccess, ...]
    current: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    """Context and reason of those that cannot be used: a person's file often holds some that are not meant for us."""


def read_kubeconfig(setting: str, *, allow_exec: bool = False) -> Contexts:
    """The operator's own: one path or several with `:` between, where the first to name a thing wins, as in kubectl.

    A context that cannot be used is `refused` by itself. Raises InvalidManifest when a file is no kubeconfig.
    """
    merged: dict[str, dict[str, _Entry]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    for part in filter(None, setting.split(os.pathsep)):
        path = Path(part).expanduser().absolute()
        try:
            document = _document(path.read_text(), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise InvalidManifest(f"{path}: cannot be read ({reason}); check GITOPS_KUBECONFIG") from None
        current = current or str(document.get("current-context") or "")
        for kind, known in merged.items():
            for name, entry in _named(document, kind, str(path)):
                known.setdefault(name, (entry, path))
    accesses, refused = [], []
    for name, (context, path) in merged["contexts"].items():
        where = f"{path}: context {name}"
        try:
            cluster = _linked(merged["clusters"], context, "cluster", where)
            user = _linked(merged["users"], context, "user", where) if context.get("user") else ({}, path)
            accesses.append(_own_access(name, where, cluster, user, allow_exec=allow_exec))
        except InvalidManifest as error:
            refused.append((name, str(error)))
    return Contexts(tuple(accesses), current if current in merged["contexts"] else "", tuple(refused))


def tenant_access(text: str, name: str, origin: str) -> ClusterAccess:
    """The current context of a kubeconfig that a tenant wrote, under our `name` for it. Raises InvalidManifest."""
    _refuse_bombs(text, origin)
    document = _document(text, origin)
    known = {
        kind: {key: (entry, Path()) for key, entry in _named(document, kind, origin)}
        for kind in ("clusters", "users", "contexts")
    }
    context, _ = _linked(known["contexts"], document, "current-context", origin)
    cluster, _ = _linked(known["clusters"], context, "cluster", origin)
    user, _ = _linked(known["users"], context, "user", origin)
    _only(cluster, _TENANT_CLUSTER, origin)
    _only(user, _TENANT_USER, origin)
    access = _inline(name, origin, cluster, user)
    if not access.server.lower().startswith("https:"):
        raise InvalidManifest(f"{origin}: server {access.server} is not https; a cluster Secret needs TLS")
    if not access.token and not access.cert:
        raise InvalidManifest(f"{origin}: no token and no client certificate; give one of them inline")
    return access


def in_cluster_access(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> ClusterAccess | None:
    """The cluster this pod runs in, by its own service account; None outside of one."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    token = folder / "token"
    if not host or not token.exists():
        return None
    return ClusterAccess(
        name=IN_CLUSTER,
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        ca_file=str(folder / "ca.crt"),
        token_file=str(token),
        origin="the pod's service account",
    )


_Entry = tuple[Mapping[str, Any], Path]
"""An entry with the file it stands in: relative paths start from that file's folder."""


def _own_access(name: str, where: str, cluster_entry: _Entry, user_entry: _Entry, *, allow_exec: bool) -> ClusterAccess:
    cluster, cluster_folder = cluster_entry[0], cluster_entry[1].parent
    user, user_folder = user_entry[0], user_entry[1].parent
    _only(cluster, _OWN_CLUSTER, where)
    _only(user, _OWN_USER, where)
    if user.get("exec") and not allow_exec:
        raise InvalidManifest(
            f"{where}: user.exec runs a program on every worker; set GITOPS_ALLOW_EXEC=true if that is wanted"
        )
    inline = _inline(name, where, cluster, user)
    proxy = str(cluster.get("proxy-url") or "")
    if proxy and not proxy.startswith("http://"):
        raise InvalidManifest(f"{where}: cluster.proxy-url must begin with http:// (TLS goes through it unopened)")
    return replace(
        inline,
        ca_file="" if inline.ca else _path(cluster_folder, cluster.get("certificate-authority")),
        cert_file="" if inline.cert else _path(user_folder, user.get("client-certificate")),
        key_file="" if inline.key else _path(user_folder, user.get("client-key")),
        token_file=_path(user_folder, user.get("tokenFile")),
        username=str(user.get("username") or ""),
        password=str(user.get("password") or ""),
        insecure=cluster.get("insecure-skip-tls-verify") is True,
        proxy=proxy,
        impersonate=str(user.get("as") or ""),
        exec=_plugin(user["exec"], where, user_folder) if user.get("exec") else None,
    )


def _inline(name: str, where: str, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ClusterAccess:
    server = str(cluster.get("server") or "")
    if problem := server_problem(server):
        raise InvalidManifest(f"{where}: cluster.server {problem}")  # unquoted: it may hold a password
    return ClusterAccess(
        name=name,
        server=server,
        ca=_decoded(cluster, "certificate-authority-data", where),
        token=str(user.get("token") or ""),
        cert=_decoded(user, "client-certificate-data", where),
        key=_decoded(user, "client-key-data", where),
        server_name=str(cluster.get("tls-server-name") or ""),
        origin=where,
    )


def _document(text: str, origin: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        # The parser's message quotes the lines around the error, which may be the token.
        raise InvalidManifest(
            f"{origin}: is no valid YAML; compare it with the output of kubectl config view"
        ) from None
    if not isinstance(document, dict):
        raise InvalidManifest(f"{origin}: is no kubeconfig; expected clusters, users and contexts")
    return document


def _refuse_bombs(text: str, origin: str) -> None:
    """Refuse what grows while it is loaded: aliases, and nesting that no kubeconfig has."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader) if len(text) <= LARGEST else [yaml.AliasEvent("")]:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
                raise InvalidManifest(f"{origin}: a kubeconfig is small and flat, without aliases; this one is not")
    except yaml.YAMLError:
        return  # said by the loader


def _named(document: Mapping[str, Any], kind: str, origin: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    entries = document.get(kind) or []
    singular = kind.removesuffix("s")
    for entry in entries if isinstance(entries, Sequence) else [None]:
        content = entry.get(singular) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not entry.get("name") or not isinstance(content or {}, dict):
            raise InvalidManifest(f"{origin}: {kind}: each entry needs a name and a {singular}")
        yield str(entry["name"]), content or {}


def _linked(known: Mapping[str, _Entry], source: Mapping[str, Any], field: str, where: str) -> _Entry:
    name = str(source.get(field) or "")
    if name not in known:
        raise InvalidManifest(
            f"{where}: {field} {name!r} does not exist; there are {', '.join(sorted(known)) or 'none'}"
        )
    return known[name]


def _only(entry: Mapping[str, Any], allowed: frozenset[str], where: str) -> None:
    """Refuse what we would have to ignore: an ignored field is another identity, or no protection."""
    for field, value in entry.items():
        if field not in allowed and value not in (None, "", False, [], {}):
            raise InvalidManifest(f"{where}: {field} is not allowed here; allowed are {', '.join(sorted(allowed))}")


def _decoded(entry: Mapping[str, Any], field: str, where: str) -> str:
    try:
        return base64.b64decode(str(entry.get(field) or ""), validate=True).decode()
    except (binascii.Error, ValueError):
        raise InvalidManifest(f"{where}: {field} is not base64 of a PEM text") from None


def _path(folder: Path, value: Any) -> str:
    return str(folder / str(value)) if value else ""


def _plugin(value: Any, where: str, folder: Path) -> ExecPlugin:
    if not isinstance(value, dict) or not value.get("command"):
        raise InvalidManifest(f"{where}: user.exec needs a command")
    return ExecPlugin(
        command=str(value["command"]),
        args=tuple(str(item) for item in value.get("args") or ()),
        env=tuple((str(item["name"]), str(item.get("value", ""))) for item in value.get("env") or ()),
        api_version=str(value.get("apiVersion") or "client.authentication.k8s.io/v1"),
        provide_cluster_info=value.get("provideClusterInfo") is True,
        directory=str(folder),
    )
