"""What a cluster serves, in three requests: aggregated discovery, or group by group on a server that lacks it.

A group whose own server does not answer is recorded as failed, never left out: its kinds are unknown, and nothing of an
unknown kind is missing (F21).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from gitops_workers.adapters.cluster.answers import error_of
from gitops_workers.adapters.cluster.connection import Answer
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.objects import GroupKind
from gitops_workers.ports import Discovery, Resource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class _Served:
    """One kind of one group version, in the order of the server's preference."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    readable: bool


def discover(transport: Transport) -> Discovery:
    """Ask the cluster what it serves. Raises ClusterUnavailable or Throttled when not even the group list is given."""
    version = _json(transport, "/version", transport.request("GET", "/version"))
    served: list[_Served] = []
    versions: list[str] = []
    failed: set[str] = set()
    for path in ("/api", "/apis"):
        # The plain type second: a server before 1.30 then answers with the list of groups instead of 406.
        answer = transport.request("GET", path, accept=f"{AGGREGATED},application/json")
        document = _json(transport, path, answer)
        if "APIGroupDiscoveryList" in answer.content_type:
            read = _aggregated(document)
        else:
            read = _one_by_one(transport, document)
        for group, name, kinds in read:
            versions.append(f"{group}/{name}" if group else name)
            if kinds is None:
                failed.add(group)
            else:
                served += kinds
    return Discovery(
        _resources(served), str(version.get("gitVersion", "")), _api_versions(versions, served), frozenset(failed)
    )


_Read = Iterator[tuple[str, str, list[_Served] | None]]


def _aggregated(document: Mapping[str, Any]) -> _Read:
    for item in document.get("items") or ():
        group = (item.get("metadata") or {}).get("name") or ""
        for entry in item.get("versions") or ():
            name = str(entry.get("version", ""))
            kinds = [
                _Served(
                    (resource.get("responseKind") or {}).get("group") or group,
                    (resource.get("responseKind") or {}).get("version") or name,
                    str((resource.get("responseKind") or {}).get("kind", "")),
                    str(resource.get("resource", "")),
                    resource.get("scope") == "Namespaced",
                    "get" in (resource.get("verbs") or ()),
                )
                for resource in entry.get("resources") or ()
            ]
            # Stale: the aggregator could not ask this group's server, and shows what it last knew, or nothing.
            if entry.get("freshness") == "Stale":
                yield group, name, None
            yield group, name, kinds


def _one_by_one(transport: Transport, document: Mapping[str, Any]) -> _Read:
    if document.get("kind") == "APIVersions":
        places = [("", str(version), f"/api/{version}") for version in document.get("versions") or ()]
    else:
        places = [
            (str(group.get("name", "")), name, f"/apis/{group.get('name', '')}/{name}")
            for group in document.get("groups") or ()
            for name in _preferred_first(group)
        ]
    for group, name, path in places:
        answer = transport.request("GET", path)
        if answer.status in (401, 429):
            raise error_of(answer, str(transport), "discovery")
        if answer.status != 200:
            yield group, name, None
            continue
        kinds = [
            _Served(
                resource.get("group") or group,
                resource.get("version") or name,
                str(resource.get("kind", "")),
                str(resource.get("name", "")),
                bool(resource.get("namespaced")),
                "get" in (resource.get("verbs") or ()),
            )
            for resource in _json(transport, path, answer).get("resources") or ()
            if "/" not in str(resource.get("name", ""))  # a subresource
        ]
        yield group, name, kinds


def _preferred_first(group: Mapping[str, Any]) -> list[str]:
    preferred = str((group.get("preferredVersion") or {}).get("version", ""))
    names = [str(entry.get("version", "")) for entry in group.get("versions") or ()]
    return sorted(names, key=lambda name: name != preferred)  # stable: the server's order for the rest


def _resources(served: Iterable[_Served]) -> dict[GroupKind, Resource]:
    first: dict[GroupKind, _Served] = {}
    versions: dict[GroupKind, list[str]] = {}
    for item in served:
        if not item.readable:  # a review is posted and answered; there is no such object
            continue
        kind = GroupKind(item.group, item.kind)
        first.setdefault(kind, item)
        if item.version not in versions.setdefault(kind, []):
            versions[kind].append(item.version)
    return {
        kind: Resource(item.group, item.version, item.kind, item.plural, item.namespaced, tuple(versions[kind]))
        for kind, item in first.items()
    }


def _api_versions(versions: Iterable[str], served: Iterable[_Served]) -> tuple[str, ...]:
    kinds = (f"{item.group}/{item.version}/{item.kind}".lstrip("/") for item in served)
    return tuple(dict.fromkeys((*versions, *kinds)))


def _json(transport: Transport, path: str, answer: Answer) -> Mapping[str, Any]:
    if answer.status == 403 and b"system:anonymous" not in answer.body:
        raise ClusterUnavailable(
            f"{transport} does not let us read {path} (403); our user there needs system:discovery"
        )
    if answer.status != 200:
        raise error_of(answer, str(transport), f"discovery at {path}")
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        _nonsense(transport, path)
    return document if isinstance(document, dict) else _nonsense(transport, path)


def _nonsense(transport: Transport, path: str) -> NoReturn:
    raise ClusterUnavailable(
        f"{transport} answers {path} with something else than JSON; is it an API server's address?"
    )


def to_bytes(discovery: Discovery) -> bytes:
    """The discovery as JSON, for a cache that workers share."""
    return orjson.dumps(
        {
            "resources": [
                [item.group, item.version, item.kind, item.plural, item.namespaced, item.versions]
                for item in discovery.resources.values()
            ],
            "version": discovery.kube_version,
            "api": discovery.api_versions,
        }
    )


def from_bytes(data: bytes) -> Discovery:
    """What `to_bytes` wrote; only a discovery without failed groups is ever shared."""
    document = orjson.loads(data)
    resources = [
        Resource(group, version, kind, plural, namespaced, tuple(versions))
        for group, version, kind, plural, namespaced, versions in document["resources"]
    ]
    return Discovery(
        {GroupKind(item.group, item.kind): item for item in resources}, document["version"], tuple(document["api"])
    )
