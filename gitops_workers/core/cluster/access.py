"""How a destination cluster is reached: one value, whatever it was declared in.

A kubeconfig context, an Argo CD cluster Secret, a Flux `spec.kubeConfig` Secret and the pod's own service account all
become a `ClusterAccess`. What came from a tenant (T29) never carries a file, program, proxy or switched-off TLS: its
parser refuses those, so nothing after it has to ask where a value came from. `repr` hides secret values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gitops_workers.core.render.render_spec import Pairs
from gitops_workers.core.text.hosts import canonical_host

IN_CLUSTER = "in-cluster"
"""Argo CD's name of the cluster it runs in."""
IN_CLUSTER_SERVER = "https://kubernetes.default.svc"
"""Argo CD's URL of the cluster it runs in."""
FLEET_LABEL = "gitops-workers.dev/fleet"
DEFAULT_FLEET = "default"


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """All that one cluster is called, for whoever compares it with rules: what routes must be what decides."""

    name: str = ""
    """The one that messages say."""
    names: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    """As `same_server` writes them."""
    others: frozenset[str] = frozenset()
    """Names of other declarations of the same server: another credential, so a rule that denies them counts alone."""
    namespaces: tuple[str, ...] = ()
    cluster_resources: bool = False
    """See `ClusterAccess`."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A client-go credential plugin: a program that prints an `ExecCredential`. Only the operator's file has one."""

    command: str
    args: tuple[str, ...] = ()
    env: Pairs = field(default=(), repr=False)
    api_version: str = "client.authentication.k8s.io/v1"
    provide_cluster_info: bool = False
    directory: str = ""
    """Where a relative command starts: the kubeconfig's folder."""


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """A cluster's address and our credential there. PEM texts are whole documents, not base64.

    At most one way to authenticate is used, in this order: `exec`, `token_file`, `token`, `username`; a client
    certificate goes along with any of them.
    """

    name: str
    server: str
    """Base URL of the API server as declared; compare by `same_server`."""
    ca: str = field(default="", repr=False)
    """PEM of the certificate authorities; empty: those of the system."""
    token: str = field(default="", repr=False)
    cert: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    insecure: bool = False
    """The server's certificate is not verified: asked for by this cluster's own declaration, never globally (T33)."""
    server_name: str = ""
    """The name expected in the server's certificate, when it is not the URL's host."""
    proxy: str = field(default="", repr=False)
    """URL of an HTTP proxy, which may hold a password; empty: direct. The environment's proxies are not used."""
    impersonate: str = ""
    """The user to act as (`Impersonate-User`); empty: ourselves."""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    token_file: str = ""
    """Absolute paths, read again every few minutes. Only from the operator's own kubeconfig or the pod."""
    exec: ExecPlugin | None = None
    fleet: str = DEFAULT_FLEET
    labels: Pairs = ()
    annotations: Pairs = ()
    """Of the cluster Secret: what the ApplicationSet cluster generator reads."""
    project: str = ""
    """Argo CD project that the cluster belongs to. As upstream, that alone keeps no other project from using it."""
    namespaces: tuple[str, ...] = ()
    """Argo CD `namespaces`: all that we may read and write there; empty: the whole cluster."""
    cluster_resources: bool = False
    """Argo CD `clusterResources`: cluster-scoped objects too, although `namespaces` is set."""
    origin: str = ""
    """Where it was declared, for messages."""

    @property
    def renewable(self) -> bool:
        """Whether reading the credential again may give another one."""
        return self.exec is not None or bool(self.token_file or self.cert_file or self.ca_file)


def same_server(url: str) -> str:
    """The one spelling of an API server's URL: a plain scheme and host, no default port, no last slash (T32).

    >>> same_server("HTTPS://API.Example.com:443/"), same_server("https://h:6443/k8s/clusters/c-1/")
    ('https://api.example.com', 'https://h:6443/k8s/clusters/c-1')
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    host = parts.hostname or ""
    host = canonical_host(f"[{host}]" if ":" in host else host)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    place = host if port in (None, default) else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def server_problem(url: str) -> str:
    """What is wrong with an API server's URL, as the end of a sentence; empty when nothing is.

    >>> server_problem("https://10.0.0.1:6443"), server_problem("http://127.0.0.1:8001")
    ('', '')
    >>> server_problem("http://10.0.0.1")
    'is not encrypted: use https (http is only for a proxy on this machine)'
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port
    except ValueError:
        return "is no URL: write https://HOST[:PORT]"
    if parts.scheme not in ("https", "http") or not host or any(char.isspace() or ord(char) < 32 for char in url):
        return "is no URL: write https://HOST[:PORT]"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password: give them as the credential"
    if parts.query or parts.fragment:
        return "has a query or fragment: write https://HOST[:PORT]"
    if parts.scheme == "http" and host not in ("127.0.0.1", "::1", "localhost"):
        return "is not encrypted: use https (http is only for a proxy on this machine)"
    return ""
