"""Which places the `destinations` of a project admit.

The rule is that of Argo CD's code (3.5, `isDestinationMatched`), not of its documentation: a rule fits by its server or
by its name, and a part that begins with `!` fits whatever it does not name. A negated part that names the place refuses
it, whatever the rule's other parts say: `{name: "!prod", namespace: kube-system}` bars all of prod. In one thing we are
stricter: upstream passes over the refusal of a rule that fits by its other part (`{server: "*", name: "!prod"}`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from gitops_workers.core.cluster.access import ClusterIdentity, same_server
from gitops_workers.core.policy.project import AllowedDestination
from gitops_workers.core.text.globs import alternatives, matches_text

_DENY = "!"
_START = re.compile(r"(?:[^/]*://)?[^/]*")
_DEFAULT_PORT = re.compile(r"^(https://.*):0*443$|^(http://.*):0*80$")


def allows(rules: Iterable[AllowedDestination], cluster: ClusterIdentity, namespace: str) -> bool:
    """Whether the rules admit the namespace of the cluster: one admits it, and none bars it."""
    return _permitted(tuple(rules), cluster, namespace)


@lru_cache(maxsize=4096)
def _permitted(rules: tuple[AllowedDestination, ...], cluster: ClusterIdentity, namespace: str) -> bool:
    # It is asked for each object, and most objects of an application share a namespace.
    if any(_bars(rule, cluster, namespace) for rule in rules):
        return False
    return any(
        (_fits(rule.server, cluster.servers, server=True) or _fits(rule.name, cluster.names))
        and _fits(rule.namespace, (namespace,))
        for rule in rules
    )


def matches_server(pattern: str, servers: Iterable[str]) -> bool:
    """Whether a glob means one of these servers, which are written as `same_server` does.

    >>> matches_server("https://API.example.com:443/", ["https://api.example.com"])
    True
    >>> matches_server("https://[0:0::1]:6443", ["https://[::1]:6443"])
    True
    """
    found = tuple(servers)
    return any(
        same_server(choice) in found or any(matches_text(_server(choice), server) for server in found)
        for choice in alternatives(pattern)
    )


def _bars(rule: AllowedDestination, cluster: ClusterIdentity, namespace: str) -> bool:
    return (
        _refuses(rule.server, [*cluster.servers, *map(_with_port, cluster.servers)], server=True)
        or _refuses(rule.name, cluster.names | cluster.others)
        or _refuses(rule.namespace, (namespace,))
    )


def _refuses(pattern: str, values: Iterable[str], *, server: bool = False) -> bool:
    return pattern.startswith(_DENY) and _named(pattern[1:], values, server=server)


def _fits(pattern: str, values: Iterable[str], *, server: bool = False) -> bool:
    if pattern.startswith(_DENY):
        return bool(values) and not _named(pattern[1:], values, server=server)
    return _named(pattern, values, server=server)


def _named(pattern: str, values: Iterable[str], *, server: bool) -> bool:
    if server:
        return matches_server(pattern, values)
    return any(matches_text(pattern, value) for value in values)


def _server(pattern: str) -> str:
    """A pattern in the form of `same_server`, as far as it is written out."""
    text = pattern.strip().rstrip("/")
    start = _START.match(text)
    place = start[0].lower() if start else ""
    return _DEFAULT_PORT.sub(lambda found: found[1] or found[2], place) + text[len(place) :]


def _with_port(server: str) -> str:
    """With the default port written out, for a rule that denies every port."""
    scheme, _, rest = server.partition("://")
    host, slash, path = rest.partition("/")
    port = {"https": ":443", "http": ":80"}.get(scheme, "")
    return f"{scheme}://{host}{'' if re.search(r':[0-9]+$', host) else port}{slash}{path}"
