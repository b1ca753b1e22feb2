"""The ports: what the pipeline needs of the world, as Protocols.

Each has an adapter on real servers and a volatile twin in memory; one contract suite runs over both. A port speaks in
core values and raises only `core.errors`. Every call that can hang takes or has a deadline.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gitops_workers.core.model import (
    AppId,
    Application,
    GitSource,
    Health,
    IgnoreRule,
    Pairs,
    RenderSpec,
    Resolved,
    SecretRef,
    SyncWindow,
    Tool,
)
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey
from gitops_workers.core.record import Record, StoredRecord
from gitops_workers.core.status import ClusterView, Event, ResourceView, Status

if TYPE_CHECKING:  # the dialects bring pydantic, which most users of the ports never need
    from gitops_workers.core.model import Problem
    from gitops_workers.dialects.document import Document


# --- Git ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Refs:
    """One ls-remote: full ref name -> commit (annotated tags peeled). `head` is the ref HEAD points at, or ""."""

    refs: Mapping[str, str]
    head: str = ""
    listed_at: float = 0.0
    """Seconds since the epoch by the shared clock, taken before the request was sent."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a commit: path from the repository root, git mode (`100644`, `100755`, `120000`), blob id."""

    path: str
    mode: str
    oid: str


class Sources(Protocol):
    """Git repositories, read through one hardened wrapper."""

    def refs(self, source: GitSource, *, not_before: float) -> Refs:
        """The repository's refs, listed at or after `not_before` (epoch s); callers share one request.

        Raises SourceUnavailable.
        """

    def fetch(self, source: GitSource, commit: str) -> None:
        """Make the commit readable on this host. No request when it is already. Raises SourceUnavailable."""

    def tree(self, source: GitSource, commit: str, path: str = "") -> Sequence[TreeEntry]:
        """All files under a folder of the commit, recursively, sorted; empty when there is no such folder."""

    def tree_id(self, source: GitSource, commit: str, path: str) -> str:
        """The object id of a folder or file of the commit; "" when it does not exist. Cheap (0.1 ms)."""

    def changed_paths(self, source: GitSource, old: str, new: str) -> frozenset[str] | None:
        """Paths that differ between two commits; None when the old one is not on this host."""

    def blobs(self, source: GitSource, oids: Iterable[str]) -> Mapping[str, bytes]:
        """File contents by blob id. Raises RenderFailed when one is over the size limit."""

    def tag_times(self, source: GitSource, tags: Iterable[str]) -> Mapping[str, int]:
        """Creation date (epoch s) of fetched tags: the tagger's, else the commit's."""

    def resolve_short(self, source: GitSource, prefix: str) -> str | None:
        """The one commit that starts with these 7 to 39 hex digits, fetching if need be; None when none or many."""

    def on_branch(self, source: GitSource, commit: str, branch: str) -> bool:
        """Whether the fetched commit is reachable from the branch."""


# --- Rendering ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Closure:
    """Every file a render reads, by content. `whole` says that the analysis gave up and took the whole commit."""

    tool: Tool
    path: str
    entries: tuple[TreeEntry, ...]
    digest: str
    whole: bool = False


class Closures(Protocol):
    """Finds the inputs of a render from git trees."""

    def closure(self, source: GitSource, render: RenderSpec, resolved: Resolved, app_name: str) -> Closure:
        """The inputs of this source at this commit. Raises RenderFailed (path missing, link out of the tree ...)."""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What a render reads besides its files. `variables` may hold secret values: never logged, never stored."""

    app_name: str
    app_namespace: str
    project: str
    namespace: str
    """The destination namespace: Helm's release namespace."""
    resolved: Resolved
    kube_version: str
    api_versions: tuple[str, ...]
    variables: Pairs = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of a source, in the tool's order. `digest` names inputs and result; `cached` for the accounts."""

    digest: str
    objects: tuple[Manifest, ...]
    cached: bool = False


class Renderer(Protocol):
    """Turns a closure into objects in a limited child process; equal inputs share one render."""

    def render(self, source: GitSource, render: RenderSpec, closure: Closure, context: RenderContext) -> Rendered:
        """Raises RenderFailed with the tool's own words, UnsafeContent for attacks."""


class Secrets(Protocol):
    """Secrets and ConfigMaps that manifests refer to (GITOPS_SECRETS, and the catalogue for ConfigMaps)."""

    def read(self, ref: SecretRef) -> Mapping[str, bytes] | None:
        """The object's data, decoded; None when it does not exist."""


# --- Users' rules ------------------------------------------------------------------------------------------------
class Rules(Protocol):
    """What users say in Lua, CEL and jq, and what the installation's `argocd-cm` says for all applications.

    Whatever a rule does (loop, eat memory, crash) ends within about a second and costs this one answer.
    """

    def health(self, app: Application, live: Manifest) -> Health | None:
        """The health of a live object: by a user's rule for its kind, else by the dialect's own.

        A rule that fails makes it Unknown with the reason. None: the kind has no health.
        """

    def check(self, app: Application) -> None:
        """Raises InvalidManifest naming the first expression of the application that cannot be read."""

    def mark(self, app: Application) -> str:
        """One word for all rules that count for the application; "" where there are none."""

    def ignored(self, app: Application) -> tuple[IgnoreRule, ...]:
        """The differences to leave alone: the application's and the installation's."""

    def paths(
        self, expressions: Sequence[str], manifests: Sequence[Manifest]
    ) -> Sequence[tuple[tuple[str | int, ...], ...]]:
        """The places that jq path expressions mean in each manifest. Raises Refused for one that had to be stopped."""


class Calendar(Protocol):
    """When sync windows are open. Moments are epoch seconds."""

    def is_open(self, window: SyncWindow, now: float) -> bool:
        """Whether it is open at this moment."""

    def next_change(self, window: SyncWindow, now: float) -> float | None:
        """When it opens next, or closes if it is open; None when neither ever happens."""


# --- Clusters ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Resource:
    """How to ask a cluster for a kind."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    versions: tuple[str, ...] = ()
    """All served versions, preferred first."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a cluster serves. `failed` are groups whose discovery did not answer: their kinds are unknown."""

    resources: Mapping[GroupKind, Resource]
    kube_version: str
    api_versions: tuple[str, ...]
    """`v1`, `apps/v1`, and `apps/v1/Deployment`, as `helm template --api-versions` wants them."""
    failed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """An object as a metadata-only LIST shows it. `generation` is 0 where the kind has none."""

    uid: str
    resource_version: str
    generation: int
    part_of: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The server's answer to an apply or a dry-run: the whole object, and whether it did not exist before."""

    manifest: Manifest
    created: bool


class Cluster(Protocol):
    """One destination cluster. Every method raises ClusterUnavailable, Throttled or ApplyRefused."""

    def discovery(self, *, refresh: bool = False) -> Discovery:
        """What the cluster serves; cached, read anew with `refresh` (an unknown kind, a new CRD)."""

    def observe(self, kinds: Iterable[GroupKind]) -> Mapping[ObjectKey, Seen]:
        """All objects of these kinds that carry the part-of label. Raises Incomplete when one page is missing."""

    def get(self, key: ObjectKey, version: str = "") -> Manifest | None:
        """The live object; None only when the server says 404 for this object of a kind that it serves."""

    def apply(self, manifest: Manifest, *, dry_run: bool, resource_version: str = "") -> Applied:
        """Server-side apply, manager `gitops-workers`, conflicts forced.

        With a `resource_version` the server refuses when the object has moved on (raises Superseded).
        """

    def hand_over(
        self, key: ObjectKey, fields: Sequence[Mapping[str, Any]], *, resource_version: str, version: str = ""
    ) -> str:
        """Change who owns the fields of this very version of an object; returns its new resourceVersion.

        `fields` are the whole managedFields afterwards. Raises Superseded when the object has moved on or is gone.
        """

    def delete(self, key: ObjectKey, *, uid: str, version: str = "", propagation: str = "Background") -> bool:
        """Delete exactly this incarnation. False when it is already gone or is another one."""


class Records(Protocol):
    """Application records in one destination cluster."""

    def load(self, app: AppId) -> StoredRecord | None:
        """The record, None when the cluster has none."""

    def load_all(self) -> Sequence[StoredRecord]:
        """All readable records of the cluster, in one listing."""

    def store(self, record: Record, expected: str | None) -> str:
        """Compare-and-swap: `expected` is the resourceVersion read, None to create. Returns the new one.

        Raises Superseded when somebody else wrote in between.
        """

    def delete(self, app: AppId) -> None:
        """Remove the record of an application that is gone with all its objects."""


class Clusters(Protocol):
    """The destination clusters of the configuration, by name."""

    def names(self) -> Sequence[str]:
        """All configured clusters."""

    def resolve(self, name: str, server: str) -> str:
        """The cluster an application names. Raises PolicyRefused that lists what exists."""

    def fleet(self, name: str) -> str:
        """The fleet a cluster belongs to."""

    def server(self, name: str) -> str:
        """The cluster's API server URL, for people."""

    def open(self, name: str) -> Cluster:
        """The cluster, connected lazily; one shared connection pool per process."""

    def records(self, name: str) -> Records:
        """The records of that cluster."""


# --- State and queue ---------------------------------------------------------------------------------------------
class Urgency(enum.StrEnum):
    """The classes of the due queue, most urgent first."""

    WEBHOOK = "webhook"
    MANUAL = "manual"
    SELF_HEAL = "self-heal"
    RETRY = "retry"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The right to work on an application: the generation wanted when it began, and the lease's fencing token."""

    app: AppId
    generation: int
    token: int
    reasons: tuple[str, ...] = ()
    """Why it was asked for since the last finished generation, oldest first, at most 8."""
    not_before: float = 0.0
    """Refs listed before this moment (epoch s) are too old for this attempt."""


@dataclass(frozen=True, slots=True)
class Doorbell:
    """A message to publish: `task` is `poll` or `reconcile`, `queue` a Celery queue, `id` what to look at."""

    task: str
    queue: str
    id: str
    generation: int


@dataclass(frozen=True, slots=True)
class ClusterLoad:
    """Queue figures of a cluster: members due and waiting, members in work, seconds the oldest due one has waited."""

    depth: int
    in_flight: int
    lag: float


class Queue(Protocol):
    """Intents, due times, leases and admission. The store's time is the only clock; times are epoch seconds.

    A member of the due queue is an application or a poll group; each belongs to one cluster, which admits so many at
    once. Popping a member writes `now + lease` as its next time, so a lost message costs one lease and nothing else.
    """

    def now(self) -> float:
        """The shared clock."""

    def enroll(self, app: AppId, cluster: str, fleet: str) -> None:
        """Make an application known to the due queue; moving it to another cluster keeps its intent."""

    def expel(self, app: AppId) -> None:
        """Forget an application's intent, due time and lease."""

    def request(self, app: AppId, reason: str, urgency: Urgency, *, not_before: float | None = None) -> int:
        """Ask for an attempt now; returns the wanted generation, 0 (and nothing happens) when it is not enrolled.

        `not_before` defaults to now().
        """

    def raise_generation(self, app: AppId, at_least: int) -> int:
        """The wanted generation becomes at least this (the record in the cluster knew a later one)."""

    def wanted(self, app: AppId) -> int:
        """The wanted generation, 0 when the application is unknown."""

    def begin(self, app: AppId, lease: float) -> Attempt | None:
        """Take the application's lease; None when somebody holds it or it is not enrolled."""

    def renew(self, attempt: Attempt, lease: float) -> bool:
        """Keep the lease; False when it was lost: stop writing."""

    def finish(self, attempt: Attempt, *, done: bool, due_in: float | None) -> None:
        """Give the lease and the cluster's slot back.

        `done`: this generation is served (a newer wanted one stays due at once). `due_in`: look again after so many
        seconds; None takes the application off the due queue until somebody asks. A finish with a lost lease changes
        nothing.
        """

    def enroll_poll(self, group: str, cluster: str, due_in: float) -> None:
        """Make a poll group known; an existing due time stays."""

    def expel_poll(self, group: str) -> None:
        """Forget a poll group."""

    def request_poll(self, group: str, urgency: Urgency) -> None:
        """Poll now: `requested` becomes now() and the group is due at once."""

    def begin_poll(self, group: str, lease: float) -> Attempt | None:
        """Take the group's lease (`app` is the group, `not_before` the last request); None when somebody holds it."""

    def finish_poll(self, attempt: Attempt, due_in: float) -> None:
        """Give it back; due again after `due_in`, or at once when a request came in between."""

    def dispatch(self, limit: int) -> Sequence[Doorbell]:
        """Pop what is due and admitted, urgent first, mark it queued, return what to publish."""

    def report_cluster(self, cluster: str, reachable: bool, message: str) -> bool:
        """Feed the circuit breaker: after 3 failures in a row it is open, and the cluster gets one probe per minute.

        Returns whether it is open now.
        """

    def sweep(self, limit: int = 500) -> int:
        """Look at up to `limit` members, least recently looked at first, and put lost ones back; returns how many.

        Lost is: no due time although an intent is unserved (to give up, finish with `done`), or a due time further
        away than it was ever set (the clock went back). Each is looked at every 30 s, whoever sweeps.
        """

    def every(self, name: str, seconds: float) -> bool:
        """True for one caller per `seconds`, of all processes that ask with this name."""

    def loads(self, clusters: Sequence[str]) -> Mapping[str, ClusterLoad]:
        """The figures of these clusters, in one round trip."""


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """Which rows a listing wants. Empty means any. `text` is a part of the id. `sort`: name, sync, health, age."""

    text: str = ""
    sync: str = ""
    health: str = ""
    project: str = ""
    cluster: str = ""
    dialect: str = ""
    sort: str = "name"
    descending: bool = False
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StatusPage:
    """One page of rows, and how many there are in all."""

    rows: tuple[Status, ...]
    total: int


class State(Protocol):
    """Applications, statuses, operations, agreements, views: everything rebuildable.

    Documents are small JSON values under (kind, key): `operation/<app>`, `agreement/<app>`, `record/<app>`,
    `poll/<group>`, `catalogue/<name>`. None of them ever holds a secret value.
    """

    def applications(self) -> Sequence[AppId]:
        """All ids, sorted."""

    def application(self, app: AppId) -> Application | None:
        """One application as the catalogue last gave it."""

    def load_applications(self, apps: Sequence[AppId]) -> Mapping[AppId, Application]:
        """Those that exist, in one round trip."""

    def save_applications(self, apps: Sequence[Application]) -> None:
        """Add or replace, in one round trip."""

    def discard_application(self, app: AppId) -> None:
        """Remove the application with its status, views and documents."""

    def load(self, kind: str, key: str) -> Any | None:
        """A document, None when there is none."""

    def load_many(self, kind: str, keys: Sequence[str]) -> Mapping[str, Any]:
        """The documents that exist, in one round trip."""

    def save(self, kind: str, key: str, value: Any) -> None:
        """Replace the document."""

    def save_many(self, kind: str, values: Mapping[str, Any]) -> None:
        """Replace several, in one round trip."""

    def discard(self, kind: str, key: str) -> None:
        """Remove the document."""

    def load_of(self, app: AppId, kinds: Sequence[str]) -> Mapping[str, Any]:
        """One application's documents by kind, those that exist, in one round trip."""

    def save_of(self, app: AppId, documents: Mapping[str, Any | None]) -> None:
        """Replace one application's documents by kind, None removes; in one round trip."""

    def status(self, app: AppId) -> Status | None:
        """An application's row."""

    def save_status(self, status: Status, token: int = 0, documents: Mapping[str, Any | None] | None = None) -> bool:
        """Replace the row and its index entries; False when a writer with a larger token was there before.

        With it and only with it the application's `documents` by kind (None removes one): a late writer must not leave
        half of what it knew.

        Token 0 is a writer without a lease (the catalogue): it is never refused and leaves the stored token.
        """

    def touch(self, group: str, apps: int, checked_at: str) -> None:
        """All rows of a poll group were found unchanged: one write whatever the number of rows."""

    def query(self, query: StatusQuery) -> StatusPage:
        """A page of rows from indexes."""

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """`{"sync": {"Synced": 3}, "health": {...}}` over all rows."""

    def resources(self, app: AppId) -> Sequence[ResourceView]:
        """The application's objects with health and diff, as last seen."""

    def save_resources(self, app: AppId, resources: Sequence[ResourceView]) -> None:
        """Replace them (compressed; diffs are already masked)."""

    def add_events(self, events: Sequence[Event]) -> None:
        """Append to the capped stream."""

    def events(self, app: AppId | None = None, limit: int = 100) -> Sequence[Event]:
        """The newest events, newest first."""

    def save_cluster(self, view: ClusterView) -> None:
        """What is known of a cluster apart from queue figures."""

    def clusters(self) -> Sequence[ClusterView]:
        """The Clusters page, with live queue depth, in-flight count and lag."""


class RenderCache(Protocol):
    """Sealed bytes by content key: neither readable nor forgeable by who can write the store."""

    def get(self, key: str) -> bytes | None:
        """The bytes; None when absent, expired or tampered with."""

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        """Keep for `lifetime` seconds."""


# --- Catalogue ---------------------------------------------------------------------------------------------------
class Catalogue(Protocol):
    """A place that declares applications. A place that cannot be read is unknown, never empty."""

    name: str
    """The setting that names it, without credentials, for messages."""

    def token(self) -> str:
        """Cheap; changes when the documents may have changed. Raises SourceUnavailable."""

    def documents(self) -> tuple[list[Document], list[Problem]]:
        """All documents, and the problems of files that could not be loaded. Raises SourceUnavailable.

        What such a file declared is unknown, not gone.
        """
