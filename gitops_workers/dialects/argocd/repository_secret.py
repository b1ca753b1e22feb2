"""Argo CD's repository Secrets: which credential a repository URL gets.

A Secret of type `repository` is for one URL; `repo-creds` is a template for every URL below its own: the longest wins,
and it is used only when the repository's own Secret has no credential (Argo CD 3.5, declarative setup).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Problem
from gitops_workers.core.source.credentials import Credential
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.dialects.configs import ConfigObject
from gitops_workers.dialects.credentials import argocd_credential

REPOSITORY = "repository"
TEMPLATE = "repo-creds"
KNOWN_HOSTS = "argocd-ssh-known-hosts-cm"
CERTIFICATES = "argocd-tls-certs-cm"


@dataclass(frozen=True, slots=True)
class RepositorySecret:
    """One Secret. `prefix`: a template for every repository below `url`."""

    url: str
    prefix: bool
    credential: Credential
    project: str = ""
    """The Argo CD project that alone may use it; "" for every project."""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class RepositorySecrets:
    """All of them, with the host keys and certificate authorities that go along."""

    secrets: tuple[RepositorySecret, ...] = ()
    known_hosts: str = ""
    authorities: Mapping[str, str] = field(default_factory=dict)
    """PEM by host name."""

    def credential(self, url: str, project: str = "") -> Credential | None:
        """What to show the server of this URL; None when nothing is declared for it.

        A Secret that belongs to another project is not seen.
        """
        usable = [item for item in self.secrets if item.project in ("", project)]
        # A Secret of the application's own project goes before one for everybody.
        usable.sort(key=lambda item: (item.project == "", -len(_parts(item.url).path)))
        own = next((item for item in usable if not item.prefix and _same(item.url, url)), None)
        if own is None or own.credential == Credential():
            template = next((item for item in usable if item.prefix and _covers(item.url, url)), None)
            own = template or own
        host = _parts(url).host
        found = replace(
            own.credential if own else Credential(),
            known_hosts=self.known_hosts,
            ca=self.authorities.get(host, ""),
        )
        return None if found == Credential() else found


def repository_secrets(configs: Iterable[ConfigObject]) -> tuple[RepositorySecrets, list[Problem]]:
    """All repository Secrets among these objects. One that cannot be used is its own problem and no other's."""
    secrets, problems = [], []
    known_hosts, authorities = "", {}
    for config in configs:
        if config.kind == "ConfigMap" and config.name == KNOWN_HOSTS:
            known_hosts = config.text("ssh_known_hosts")
        elif config.kind == "ConfigMap" and config.name == CERTIFICATES:
            authorities = {host.lower(): config.text(host) for host in config.data}
        elif config.kind == "Secret" and config.secret_type in (REPOSITORY, TEMPLATE):
            try:
                if (secret := _secret(config)) is not None:
                    secrets.append(secret)
            except InvalidManifest as error:
                problems.append(Problem(config.origin, 0, "", str(error)))
    return RepositorySecrets(tuple(secrets), known_hosts, authorities), problems


def _secret(config: ConfigObject) -> RepositorySecret | None:
    if config.text("type") not in ("", "git"):
        return None  # Helm and OCI repositories are sources of a later version
    url = config.text("url").strip()
    if not url:
        raise InvalidManifest(f"{config.title}: the key url is missing: name the repository.")
    if not _parts(url).host and not url.startswith("file://"):
        raise InvalidManifest(
            f"{config.title}: url {without_credentials(url)!r} names no host: write https://HOST/PATH."
        )
    return RepositorySecret(
        url=url,
        prefix=config.secret_type == TEMPLATE,
        credential=argocd_credential(config.data, config.title),
        project=config.text("project"),
        origin=config.origin,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    scheme: str
    host: str
    port: int | None
    path: str


_PORTS = {"https": 443, "http": 80, "ssh": 22}


def _parts(url: str) -> _Place:
    """The parts that decide whom a credential is shown to; the scp form is read as ssh."""
    text = url.strip()
    if "://" not in text:
        host, _, path = text.partition(":")
        text = f"ssh://{host}/{path.lstrip('/')}"
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return _Place("", "", None, "")
    return _Place(
        parts.scheme, (parts.hostname or "").lower(), port, parts.path.strip("/").removesuffix(".git").lower()
    )


def _same(declared: str, url: str) -> bool:
    return _parts(declared) == _parts(url)


def _covers(prefix: str, url: str) -> bool:
    """Whether a template is for this URL: same scheme, host and port, and a path below its own.

    By whole path segments. A plain comparison of texts would send the credential of https://git.example.com to
    https://git.example.com.attacker.test, and that of /team to /team-of-others.
    """
    ours, theirs = _parts(prefix), _parts(url)
    same_server = (ours.scheme, ours.host, ours.port) == (theirs.scheme, theirs.host, theirs.port)
    return same_server and (not ours.path or theirs.path == ours.path or theirs.path.startswith(f"{ours.path}/"))
