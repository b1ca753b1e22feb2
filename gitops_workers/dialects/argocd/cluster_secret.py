"""Argo CD's cluster Secrets: a destination cluster with its credential (T29).

Whoever can write such a Secret shall not thereby run a program, read a file, choose a proxy or switch TLS off in a
worker: each of these is refused unless the operator's settings allow it, files always.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from gitops_workers.core.cluster.access import DEFAULT_FLEET, FLEET_LABEL, ClusterAccess, ExecPlugin, server_problem
from gitops_workers.core.model import Problem
from gitops_workers.dialects.configs import ConfigObject
from gitops_workers.dialects.document import Document
from gitops_workers.dialects.field_rules import Plain, is_namespace, one_of
from gitops_workers.dialects.fields import ManifestModel, ParseContext, pairs
from gitops_workers.dialects.messages import shown

SECRET_TYPE = "cluster"  # noqa: S105 - the label's value, no secret
_LARGEST_CONFIG = 256 * 1024


@dataclass(frozen=True, slots=True)
class ClusterRules:
    """What cluster Secrets may ask for beyond an https server, an inline CA and an inline credential."""

    exec: bool = False
    insecure: bool = False
    proxy: bool = False


def _pem(value: str) -> str:
    """Base64 of a PEM document, as Go's JSON writes bytes."""
    try:
        text = base64.b64decode("".join(value.split()), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = "?"
    if text and "-----BEGIN " not in text:
        raise PydanticCustomError("value", "the value is no base64 of a PEM document: encode the PEM text.")
    return text


Pem = Annotated[str, AfterValidator(_pem)]


class Tls(ManifestModel):
    """`tlsClientConfig`."""

    insecure: bool = False
    server_name: Plain = ""
    ca_data: Pem = ""
    cert_data: Pem = ""
    key_data: Pem = ""
    ca_file: Any = None
    cert_file: Any = None
    key_file: Any = None


class Exec(ManifestModel):
    """`execProviderConfig`."""

    command: str
    args: list[str] = []  # noqa: RUF012 - pydantic copies it
    env: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    api_version: str = "client.authentication.k8s.io/v1"
    install_hint: str = ""


class Config(ManifestModel):
    """The JSON of the key `config`."""

    username: str = ""
    password: str = ""
    bearer_token: str = ""
    bearer_token_file: Any = None
    tls_client_config: Tls = Tls()
    exec_provider_config: Exec | None = None
    aws_auth_config: Any = None
    proxy_url: str = ""
    disable_compression: bool = False


class ClusterData(ManifestModel):
    """The Secret's data. `shard` binds a cluster to an Argo CD controller and has no meaning here."""

    name: Plain
    server: str
    config: Config = Config()
    namespaces: str = ""
    cluster_resources: Annotated[str, one_of("", "true", "false")] = ""
    project: Plain = ""
    shard: Any = None


def cluster_secrets(
    configs: Iterable[ConfigObject], rules: ClusterRules | None = None
) -> tuple[tuple[ClusterAccess, ...], list[Problem]]:
    """All usable clusters among these objects; one that is refused is its own problem and no other's."""
    found: dict[str, ClusterAccess] = {}
    problems = []
    for config in configs:
        if config.kind != "Secret" or config.secret_type != SECRET_TYPE:
            continue
        access, wrongs = parse_cluster_secret(config, rules or ClusterRules())
        problems += wrongs
        if access is not None and access.name in found:
            message = f"{config.title}: the cluster {access.name!r} is declared twice: rename one of the two."
            problems.append(Problem(config.origin, 0, "name", message))
        elif access is not None:
            found[access.name] = access
    return tuple(found.values()), problems


def parse_cluster_secret(config: ConfigObject, rules: ClusterRules) -> tuple[ClusterAccess | None, list[Problem]]:
    """The cluster, or everything that keeps it from being used. No message holds a value of the credential."""
    value: dict[str, Any] = {key: config.text(key).strip() for key in config.data}
    reading = ParseContext(Document(config.origin, value))
    value["config"] = _json(reading, config.text("config"))
    shape = reading.shape(ClusterData)
    if shape is not None:
        _check(reading, shape, rules)
    if shape is None or reading.failed:
        return None, [replace(item, message=f"{config.title}: {item.message}") for item in reading.problems]
    return _access(config, shape), []


def _json(reading: ParseContext, text: str) -> Any:
    try:
        value = json.loads(text or "{}") if len(text) <= _LARGEST_CONFIG else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    reading.error(("config",), "the value is no JSON mapping of at most 256 KiB.")
    return None


def _check(reading: ParseContext, shape: ClusterData, rules: ClusterRules) -> None:
    config, tls = shape.config, shape.config.tls_client_config
    if problem := server_problem(shape.server):
        reading.error(("server",), f"the address {problem}.")
    elif not rules.insecure and not shape.server.lower().startswith("https:"):
        reading.error(("server",), "the address is not encrypted: use https, or let the operator allow it.")
    for index, namespace in enumerate(_listed(shape.namespaces)):
        if not is_namespace(namespace):
            reading.error(("namespaces", index), f"found {shown(namespace)}, allowed are namespaces between commas.")
    secure = ("config", "tlsClientConfig")
    refusals = (
        (("config", "bearerTokenFile"), config.bearer_token_file, "a file path", "put the token into bearerToken"),
        ((*secure, "caFile"), tls.ca_file, "a file path", "put the PEM into caData"),
        ((*secure, "certFile"), tls.cert_file, "a file path", "put the PEM into certData"),
        ((*secure, "keyFile"), tls.key_file, "a file path", "put the PEM into keyData"),
        (("config", "awsAuthConfig"), config.aws_auth_config, "AWS authentication", "use a token or certificate"),
        (
            ("config", "execProviderConfig"),
            config.exec_provider_config and not rules.exec,
            "a program",
            "use a token or certificate, or let the operator allow programs",
        ),
        (
            (*secure, "insecure"),
            tls.insecure and not rules.insecure,
            "an unverified server",
            "give caData, or let the operator allow it",
        ),
        (
            ("config", "proxyUrl"),
            config.proxy_url and not rules.proxy,
            "a proxy",
            "reach the cluster directly, or let the operator allow proxies",
        ),
    )
    for path, found, what, instead in refusals:
        if found:
            reading.error(path, f"{what} is refused in a cluster Secret: {instead}.")
    if bool(tls.cert_data) != bool(tls.key_data):
        reading.error(secure, "certData and keyData belong together: give both or neither.")
    if tls.insecure and tls.ca_data:
        reading.error((*secure, "insecure"), "an unverified server has no caData: remove one of the two.")
    if config.password and not config.username:
        reading.error(("config", "username"), "the field is missing: the password needs it.")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _access(config: ConfigObject, shape: ClusterData) -> ClusterAccess:
    login, tls, program = shape.config, shape.config.tls_client_config, shape.config.exec_provider_config
    plugin = None
    if program is not None:
        plugin = ExecPlugin(program.command, tuple(program.args), pairs(program.env), program.api_version)
    return ClusterAccess(
        name=shape.name,
        server=shape.server,
        ca=tls.ca_data,
        token=login.bearer_token,
        cert=tls.cert_data,
        key=tls.key_data,
        username=login.username,
        password=login.password,
        insecure=tls.insecure,
        server_name=tls.server_name,
        proxy=login.proxy_url,
        exec=plugin,
        fleet=config.labels.get(FLEET_LABEL) or DEFAULT_FLEET,
        labels=pairs(config.labels),
        annotations=pairs(config.annotations),
        project=shape.project,
        namespaces=tuple(_listed(shape.namespaces)),
        cluster_resources=shape.cluster_resources == "true",
        origin=config.origin,
    )
