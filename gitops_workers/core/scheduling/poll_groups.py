"""Poll groups: what is asked once for many applications.

A repository group shares one poll of a source (one repository or the like, read by one credential); a cluster group
shares one listing per kind; the catalogue group says which applications there are. Ids are short, stable and free of
anything secret.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from gitops_workers.core.model import GIT, Application

_PORTS = {"https": 443, "http": 80, "ssh": 22}


REPOSITORY_PREFIX = "repository/"
CLUSTER_PREFIX = "cluster/"
UNFINISHED_PREFIX = "unfinished/"
CATALOGUE = "catalogue"
"""The group of all catalogues together. It is its own lane in the due queue, so that no repository keeps it waiting."""


def repository_group(app: Application) -> str:
    """`repository/<16 hex digits>` of URL and credential: the same in every process and release.

    Only spellings that every Git server takes for one repository are taken for one: unlike `normalise_url`, which is
    for webhooks, this must never put two repositories together, since only one of them would be listed.
    """
    ref = app.source.credential
    credential = f"{ref.kind}/{ref.namespace}/{ref.name}" if ref else ""
    text = f"{_repository(app.source.url)}\n{credential}"
    if app.source.kind != GIT:
        text += f"\n{app.source.kind}"
    return REPOSITORY_PREFIX + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def cluster_group(cluster: str) -> str:
    """`cluster/<name>`."""
    return CLUSTER_PREFIX + cluster


def unfinished_group(cluster: str) -> str:
    """`unfinished/<name>`: whether this cluster's records tell of a deletion that nobody remembers."""
    return UNFINISHED_PREFIX + cluster


def _repository(url: str) -> str:
    """The URL with scheme and host in lower case, without default port, trailing slashes and `.git`."""
    text = url.strip().rstrip("/").removesuffix(".git").rstrip("/")
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return text
    user, at, _ = parts.netloc.rpartition("@")
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    place = host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{user}{at}{place}{parts.path}{query}"
