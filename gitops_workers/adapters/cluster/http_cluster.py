"""The port `Cluster` on a real API server: discovery, metadata lists, gets, applies and deletes as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from gitops_workers.adapters.cluster import answers, undeclared, wire
from gitops_workers.adapters.cluster.connection import Answer
from gitops_workers.adapters.cluster.listing import Listing
from gitops_workers.adapters.cluster.served_kinds import DISCOVERY_AGE, UNKNOWN_AGE, ServedKinds
from gitops_workers.adapters.cluster.transport import APPLY_TYPE, Transport
from gitops_workers.core.diff.managed_fields import MANAGER
from gitops_workers.core.errors import (
    ApplyRefused,
    ClusterUnavailable,
    GitOpsError,
    Retry,
    Superseded,
)
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey, key_of
from gitops_workers.core.telemetry.figures import APP_REQUESTS, counted
from gitops_workers.core.text.json_path import without
from gitops_workers.ports import Applied, Discovery, MetadataList, RenderCache
from gitops_workers.runtime.meters import METER

UNKNOWN_FIELDS = 32
"""So many times unknown fields are left out of one object: a server often names only the first that it meets."""

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
        self._kinds = ServedKinds(transport, shared=shared, age=discovery_age)
        self._listing = Listing(transport, self._kinds)

    def __str__(self) -> str:
        """`cluster east (https://...)`, for messages."""
        return str(self._transport)

    def discovery(self, *, refresh: bool = False) -> Discovery:
        """See the port."""
        return self._kinds.discovered(0.0 if refresh else float("inf"))

    def list_metadata(self, kinds: Iterable[GroupKind], *, part_of: str = "") -> MetadataList:
        """See the port."""
        return self._listing.metadata(kinds, part_of)

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
                self._kinds.doubt()
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
                self._kinds.doubt()
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

    def set_finalizers(
        self, key: ObjectKey, finalizers: Sequence[str], *, resource_version: str, version: str = ""
    ) -> None:
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
        resource = self._kinds.require(key)
        for attempt in (1, 2):
            if exact and version not in resource.versions:
                resource = self._kinds.require(key, UNKNOWN_AGE)
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
            resource = self._kinds.require(key, 0.0)
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
