"""The port `Cluster` on a real API server: discovery, metadata lists, gets, applies and deletes as plain JSON."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from gitops_workers.adapters.cluster import answers, discovery, undeclared, wire
from gitops_workers.adapters.cluster.transport import APPLY_TYPE, Answer, Transport
from gitops_workers.core.diff.managed_fields import MANAGER
from gitops_workers.core.errors import (
    ApplyRefused,
    ClusterUnavailable,
    GitOpsError,
    Incomplete,
    Retry,
    ServerFailed,
    Superseded,
)
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.core.record.record import PART_OF
from gitops_workers.core.telemetry.figures import APP_REQUESTS, counted
from gitops_workers.core.text.json_path import without
from gitops_workers.ports import Applied, Discovery, MetadataList, ObjectMeta, RenderCache, Resource
from gitops_workers.runtime.meters import METER

DISCOVERY_AGE = 600.0
"""Seconds a discovery is used unless something unknown turns up: kinds come and go with releases, not by the minute."""
FAILED_AGE = 15.0
"""Seconds for one with failed groups: their servers usually come back soon."""
UNKNOWN_AGE = 2.0
"""A kind that a discovery of at least this age does not have is asked for again: its CRD may just have been applied.
One answer serves all unknown kinds, so that an application full of them costs three requests per 2 s."""
UNKNOWN_FIELDS = 32
"""So many times unknown fields are left out of one object: a server often names only the first that it meets."""
PAGE = 500
"""Objects per page, as kubectl. Measured on 3,000 of them: a page from the watch cache (`resourceVersion=0`) costs the
API server as much CPU as a consistent one (57 and 55 ms), and the cache may be old. So consistent it is."""


_VERBS = {"GET": "Get", "POST": "Create", "PUT": "Update", "PATCH": "Patch", "DELETE": "Delete"}
"""As client-go's request metrics name them."""
NAMESPACE_KIND = GroupKind("", "Namespace")
_DEFINING = ("CustomResourceDefinition", "APIService")
"""After a write of one of these, what is unknown now may be served the next moment."""


class HttpCluster:
    """One destination cluster; safe for any number of threads."""

    def __init__(
        self,
        transport: Transport,
        *,
        shared: RenderCache | None = None,
        discovery_age: float = DISCOVERY_AGE,
    ) -> None:
        """`shared` is a sealed cache through which the workers of a fleet share discoveries."""
        self._transport = transport
        self._shared = shared
        self._age = discovery_age
        self._known: Discovery | None = None
        self._read_at = 0.0
        self._expires = 0.0
        self._lock = threading.Lock()

    def __str__(self) -> str:
        """`cluster east (https://...)`, for messages."""
        return str(self._transport)

    def discovery(self, *, refresh: bool = False) -> Discovery:
        """See the port."""
        return self._discovery(0.0 if refresh else float("inf"))

    def list_metadata(self, kinds: Iterable[GroupKind], *, part_of: str = "") -> MetadataList:
        """See the port."""
        asked, selector = sorted(set(kinds)), f"{PART_OF}={part_of}" if part_of else PART_OF
        seen: dict[ObjectKey, ObjectMeta] = {}
        unknown: dict[GroupKind, Retry] = {}
        for kind in asked:
            try:
                resource = self._lookup(kind)
                if resource is not None:
                    seen.update(self._observe(kind, resource, selector))
            except (Incomplete, ServerFailed) as error:
                unknown[kind] = error
        if unknown and len(unknown) == len(asked):
            raise unknown[asked[0]]
        return MetadataList(seen, unknown)

    def get(self, key: ObjectKey, version: str = "") -> Manifest | None:
        """See the port. A `version` that is no longer served is replaced by the preferred one."""
        answer = self._about(key, "GET", version)
        if answer.status == 200:
            return self._object(answer, key)
        if answers.absent(answer, key.name, namespace=key.group_kind == NAMESPACE_KIND):
            return None
        raise self._error(answer, key)

    def apply(self, manifest: Manifest, *, dry_run: bool, resource_version: str = "", validate: bool = True) -> Applied:
        """See the port.

        A precondition on an object that has been deleted meanwhile is refused by a dry-run; a real apply creates the
        object anew (API servers do for most kinds), which is what Git wants.
        """
        key = key_of(manifest)
        query = wire.apply_query(dry_run=dry_run, validate=validate)
        answer = self._write(manifest, "PATCH", query, resource_version)
        for _ in range(0 if validate else UNKNOWN_FIELDS):
            unknown = undeclared.places(answers.status_of(answer), manifest)
            if not unknown:
                break
            manifest = without(manifest, unknown)
            answer = self._write(manifest, "PATCH", query, resource_version)
        if answer.status in (200, 201):
            if not dry_run and key.kind in _DEFINING:
                self._read_at = float("-inf")
            return Applied(self._object(answer, key), created=answer.status == 201)
        if answer.status == 409 and resource_version:
            raise Superseded(f"{key} in {self} has changed since it was read")
        raise self._error(answer, key)

    def replace(self, manifest: Manifest, *, dry_run: bool, resource_version: str, validate: bool = True) -> Applied:
        """See the port."""
        key = key_of(manifest)
        answer = self._write(manifest, "PUT", wire.write_query(dry_run=dry_run, validate=validate), resource_version)
        if answer.status == 200:
            return Applied(self._object(answer, key), created=False)
        if answer.status == 409 or answers.absent(answer, key.name, namespace=key.group_kind == NAMESPACE_KIND):
            raise Superseded(f"{key} in {self} has changed since it was read")
        raise self._error(answer, key)

    def create(self, manifest: Manifest, *, dry_run: bool, validate: bool = True) -> Applied:
        """See the port."""
        key = key_of(manifest)
        answer = self._write(manifest, "POST", wire.write_query(dry_run=dry_run, validate=validate), "")
        if answer.status == 201:
            if not dry_run and key.kind in _DEFINING:
                self._read_at = float("-inf")
            return Applied(self._object(answer, key), created=True)
        if answer.status == 409:
            raise Superseded(f"{key} in {self} exists already")
        raise self._error(answer, key)

    def set_managed_fields(
        self, key: ObjectKey, fields: Sequence[Mapping[str, Any]], *, resource_version: str, version: str = ""
    ) -> str:
        """See the port."""
        body = wire.hand_over_body(fields, resource_version)
        query = {"fieldManager": MANAGER}
        answer = self._about(key, "PATCH", version, query=query, body=body, content_type=wire.JSON_PATCH_TYPE)
        if answer.status == 200:
            return str(self._object(answer, key)["metadata"].get("resourceVersion", ""))
        if answer.status in (404, 409):
            raise Superseded(f"{key} in {self} has changed since it was read")
        raise self._error(answer, key)

    def release(self, key: ObjectKey, finalizers: Sequence[str], *, resource_version: str, version: str = "") -> None:
        """See the port."""
        body, query = wire.release_body(finalizers, resource_version), {"fieldManager": MANAGER}
        answer = self._about(key, "PATCH", version, query=query, body=body, content_type=wire.MERGE_PATCH_TYPE)
        if answer.status == 200 or answers.absent(answer, key.name, namespace=key.group_kind == NAMESPACE_KIND):
            return
        if answer.status == 409:
            raise Superseded(f"{key} in {self} has changed since it was read")
        raise self._error(answer, key)

    def delete(self, key: ObjectKey, *, uid: str, version: str = "", propagation: str = "Background") -> bool:
        """See the port. True also when finalizers keep the object for a while."""
        answer = self._about(key, "DELETE", version, body=wire.delete_body(uid, propagation))
        if answer.status in (200, 202):
            return True
        if answers.absent(answer, key.name, namespace=key.group_kind == NAMESPACE_KIND):
            return False
        if answer.status == 409 and "precondition" in str(answers.status_of(answer).get("message", "")).lower():
            return False
        raise self._error(answer, key)

    def _write(self, manifest: Manifest, method: str, query: Mapping[str, str], resource_version: str) -> Answer:
        return self._about(
            key_of(manifest),
            method,
            str(manifest["apiVersion"]).rpartition("/")[2],
            exact=True,
            query=query,
            body=wire.body_of(manifest, resource_version),
            content_type=APPLY_TYPE if method == "PATCH" else "application/json",
        )

    def _about(
        self,
        key: ObjectKey,
        method: str,
        version: str,
        *,
        exact: bool = False,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """Send a request about one object, at most twice: a path that is gone may mean that discovery was old."""
        resource = self._known_kind(key)
        for attempt in (1, 2):
            if exact and version not in resource.versions:
                resource = self._known_kind(key, UNKNOWN_AGE)
                if version not in resource.versions:
                    raise ApplyRefused(
                        f"{key} is written in version {version}, which {self} does not serve; "
                        f"it serves {', '.join(resource.versions)}"
                    )
            asked = version if version in resource.versions else resource.version
            path = wire.object_path(resource, asked, key)
            if method == "POST":
                path = wire.collection_path(resource, asked, key.namespace)
            answer = self._transport.request(method, path, query, body, content_type=content_type, about=str(key))
            self._count(key, method, query or {}, answer)
            if attempt == 2 or not answers.no_such_endpoint(answer):
                break
            resource = self._known_kind(key, 0.0)
        if answers.no_such_endpoint(answer):
            raise Retry(f"{self} says that {key.group_kind} is served, but knows no path {path}; try again")
        return answer

    def _count(self, key: ObjectKey, method: str, query: Mapping[str, str], answer: Answer) -> None:
        """For the application that this thread works for: Argo CD counts per application, Flux does not."""
        app, project = METER.app
        kind, _, rest = app.partition("/")
        if kind != "application":
            return
        namespace, _, name = rest.partition("/")
        dry_run = "true" if "dryRun" in query else "false"
        about = (str(answer.status), _VERBS.get(method, method), key.kind, key.namespace, dry_run)
        METER.add(counted(APP_REQUESTS, (namespace, name, project, self._transport.access.server, *about), app=app))

    def _known_kind(self, key: ObjectKey, age: float = float("inf")) -> Resource:
        resource = self._lookup(key.group_kind, age)
        if resource is None:
            raise ApplyRefused(
                f"{key}: the kind {key.group_kind} is not served by {self}; "
                "apply its CustomResourceDefinition first, or correct apiVersion and kind"
            )
        return resource

    def _lookup(self, kind: GroupKind, age: float = float("inf")) -> Resource | None:
        """How to ask for a kind; None when the cluster does not serve it. Raises Incomplete when that is unknown."""
        known = self._discovery(age)
        if kind not in known.resources:
            known = self._discovery(min(age, UNKNOWN_AGE))
        if kind not in known.resources and kind.group in known.failed:
            raise Incomplete(
                f"{self} does not say now what is in API group {kind.group}, so nothing is known of {kind}; "
                "look at the group's APIService"
            )
        return known.resources.get(kind)

    def _discovery(self, age: float) -> Discovery:
        """What is served, as read at most `age` seconds ago. One thread asks, the others wait for its answer."""
        asked_at = time.monotonic()
        with self._lock:
            now = time.monotonic()
            if self._known is not None and now < self._expires and self._read_at >= asked_at - age:
                return self._known
            name = f"discovery/{self._transport.access.name}/{self._transport.access.server}"
            if self._shared is not None and self._known is None and age > UNKNOWN_AGE:
                stored = self._shared.get(name)
                if stored is not None:
                    # Somebody else's, of unknown age: good for everything but saying that a kind does not exist.
                    self._known, self._read_at, self._expires = (
                        discovery.from_bytes(stored),
                        float("-inf"),
                        now + self._age,
                    )
                    return self._known
            self._known = discovery.discover(self._transport)
            self._read_at, self._expires = now, now + (FAILED_AGE if self._known.failed else self._age)
            if self._shared is not None and not self._known.failed:
                self._shared.put(name, discovery.to_bytes(self._known), self._age)
            return self._known

    def _observe(self, kind: GroupKind, resource: Resource, selector: str) -> dict[ObjectKey, ObjectMeta]:
        access = self._transport.access
        whole = not access.namespaces or not resource.namespaced
        seen: dict[ObjectKey, ObjectMeta] = {}
        for namespace in ("",) if whole else access.namespaces:
            listed = self._list(kind, resource, namespace, selector)
            if listed is None:  # the path is gone: the kind moved to another version, or its CRD was removed
                current = self._lookup(kind, 0.0)
                listed = {} if current is None else self._list(kind, current, namespace, selector)
            if listed is None:
                raise Incomplete(f"{self} serves {kind} but knows no path to list it; its objects are unknown")
            seen.update(listed)
        return seen

    def _list(
        self, kind: GroupKind, resource: Resource, namespace: str, selector: str
    ) -> dict[ObjectKey, ObjectMeta] | None:
        """All pages of one listing, from the beginning once more when the server forgot where we were (410)."""
        path = wire.collection_path(resource, resource.version, namespace)
        for _ in range(2):
            seen: dict[ObjectKey, ObjectMeta] = {}
            query = {"labelSelector": selector, "limit": str(PAGE)}
            while True:
                answer = self._transport.request("GET", path, query, accept=wire.METADATA_LIST)
                if answer.status != 200:
                    break
                page = self._page(answer, kind)
                try:
                    seen.update(wire.seen_in(resource, page))
                    query["continue"] = page["metadata"].get("continue") or ""
                except (KeyError, TypeError, AttributeError):
                    raise Incomplete(f"{self} answered a list of {kind} with a page that is no list") from None
                if not query["continue"]:
                    return seen
            if answers.no_such_endpoint(answer):
                return None
            if answer.status != 410:
                raise self._incomplete(answer, kind)
        raise Incomplete(f"{self} changes too fast to list all {kind}; it is tried again")

    def _page(self, answer: Answer, kind: GroupKind) -> Any:
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise Incomplete(f"{self} answered a list of {kind} with something else than JSON") from None

    def _incomplete(self, answer: Answer, kind: GroupKind) -> GitOpsError:
        error = answers.error_of(answer, str(self), f"the list of {kind}")
        # A refusal would look like something wrong with an object; what it means is that these objects are unknown.
        return (
            Incomplete(f"{error}; until then nothing is known of {kind}") if isinstance(error, ApplyRefused) else error
        )

    def _object(self, answer: Answer, key: ObjectKey) -> Manifest:
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict) or not isinstance(document.get("metadata"), dict):
            raise ClusterUnavailable(
                f"{self} answered {answer.status} about {key} without the object; is a proxy between?"
            )
        return document

    def _error(self, answer: Answer, key: ObjectKey) -> GitOpsError:
        return answers.error_of(answer, str(self), str(key), secret=key.group_kind == GroupKind("", "Secret"))
