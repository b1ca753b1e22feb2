"""Metadata of all objects of a kind, page by page: whatever cannot be listed is unknown, never absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from gitops_workers.adapters.cluster import answers, wire
from gitops_workers.adapters.cluster.connection import Answer
from gitops_workers.adapters.cluster.served_kinds import ServedKinds
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.errors import ApplyRefused, GitOpsError, Incomplete, Retry, ServerFailed
from gitops_workers.core.objects import GroupKind, ObjectKey
from gitops_workers.core.record.record import PART_OF
from gitops_workers.ports import MetadataList, ObjectMeta, Resource

PAGE = 500
"""Objects per page, as kubectl. Measured on 3,000 of them: a page from the watch cache (`resourceVersion=0`) costs the
API server as much CPU as a consistent one (57 and 55 ms), and the cache may be old. So consistent it is."""


class Listing:
    """Lists what one cluster holds; safe for any number of threads."""

    def __init__(self, transport: Transport, kinds: ServedKinds) -> None:
        """Nothing is asked yet."""
        self._transport = transport
        self._kinds = kinds

    def metadata(self, kinds: Iterable[GroupKind], part_of: str) -> MetadataList:
        """The objects of these kinds that are part of this set, or of any with an empty `part_of`."""
        asked, selector = sorted(set(kinds)), f"{PART_OF}={part_of}" if part_of else PART_OF
        seen: dict[ObjectKey, ObjectMeta] = {}
        unknown: dict[GroupKind, Retry] = {}
        for kind in asked:
            try:
                resource = self._kinds.lookup(kind)
                if resource is not None:
                    seen.update(self._observe(kind, resource, selector))
            except (Incomplete, ServerFailed) as error:
                unknown[kind] = error
        if unknown and len(unknown) == len(asked):
            raise unknown[asked[0]]
        return MetadataList(seen, unknown)

    def _observe(self, kind: GroupKind, resource: Resource, selector: str) -> dict[ObjectKey, ObjectMeta]:
        access = self._transport.access
        whole = not access.namespaces or not resource.namespaced
        seen: dict[ObjectKey, ObjectMeta] = {}
        for namespace in ("",) if whole else access.namespaces:
            listed = self._list(kind, resource, namespace, selector)
            if listed is None:  # the path is gone: the kind moved to another version, or its CRD was removed
                current = self._kinds.lookup(kind, 0.0)
                listed = {} if current is None else self._list(kind, current, namespace, selector)
            if listed is None:
                raise Incomplete(
                    f"{self._transport} serves {kind} but knows no path to list it; its objects are unknown"
                )
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
                    raise Incomplete(
                        f"{self._transport} answered a list of {kind} with a page that is no list"
                    ) from None
                if not query["continue"]:
                    return seen
            if answers.no_such_endpoint(answer):
                return None
            if answer.status != 410:
                raise self._incomplete(answer, kind)
        raise Incomplete(f"{self._transport} changes too fast to list all {kind}; it is tried again")

    def _page(self, answer: Answer, kind: GroupKind) -> Any:
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            raise Incomplete(f"{self._transport} answered a list of {kind} with something else than JSON") from None

    def _incomplete(self, answer: Answer, kind: GroupKind) -> GitOpsError:
        error = answers.error_of(answer, str(self._transport), f"the list of {kind}")
        # A refusal would look like something wrong with an object; what it means is that these objects are unknown.
        return (
            Incomplete(f"{error}; until then nothing is known of {kind}") if isinstance(error, ApplyRefused) else error
        )
