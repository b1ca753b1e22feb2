"""The kinds that one cluster serves: read when something unknown is asked for, remembered for a while.

The workers of a fleet share what one of them has read, through a sealed cache.
"""

from __future__ import annotations

import threading
import time

from gitops_workers.adapters.cluster import discovery
from gitops_workers.adapters.cluster.transport import Transport
from gitops_workers.core.errors import ApplyRefused, Incomplete
from gitops_workers.core.objects import GroupKind, ObjectKey
from gitops_workers.ports import Discovery, RenderCache, Resource

DISCOVERY_AGE = 600.0
"""Seconds a discovery is used unless something unknown turns up: kinds come and go with releases, not by the minute."""
FAILED_AGE = 15.0
"""Seconds for one with failed groups: their servers usually come back soon."""
UNKNOWN_AGE = 2.0
"""A kind that a discovery of at least this age does not have is asked for again: its CRD may just have been applied.
One answer serves all unknown kinds, so that an application full of them costs three requests per 2 s."""


class ServedKinds:
    """How to ask one cluster for a kind; safe for any number of threads."""

    def __init__(self, transport: Transport, *, shared: RenderCache | None = None, age: float = DISCOVERY_AGE) -> None:
        """`shared` is a sealed cache that the workers of a fleet have in common; `age` is in seconds."""
        self._transport = transport
        self._shared = shared
        self._age = age
        self._known: Discovery | None = None
        self._read_at = 0.0
        self._expires = 0.0
        self._lock = threading.Lock()

    def doubt(self) -> None:
        """A kind may have been added this moment: what is unknown is asked for again."""
        self._read_at = float("-inf")

    def require(self, key: ObjectKey, age: float = float("inf")) -> Resource:
        """How to ask for the object's kind. Raises ApplyRefused when the cluster does not serve it."""
        resource = self.lookup(key.group_kind, age)
        if resource is None:
            raise ApplyRefused(
                f"{key}: the kind {key.group_kind} is not served by {self._transport}; "
                "apply its CustomResourceDefinition first, or correct apiVersion and kind"
            )
        return resource

    def lookup(self, kind: GroupKind, age: float = float("inf")) -> Resource | None:
        """How to ask for a kind; None when the cluster does not serve it. Raises Incomplete when that is unknown."""
        known = self.discovered(age)
        if kind not in known.resources:
            known = self.discovered(min(age, UNKNOWN_AGE))
        if kind not in known.resources and kind.group in known.failed:
            raise Incomplete(
                f"{self._transport} does not say now what is in API group {kind.group}, so nothing is known of {kind}; "
                "look at the group's APIService"
            )
        return known.resources.get(kind)

    def discovered(self, age: float) -> Discovery:
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
