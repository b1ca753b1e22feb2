"""The values that dialects produce and every later stage reads.

An Argo CD `Application` and a Flux `Kustomization` with its `GitRepository` both become one `Application`. After the
parser nobody asks which it was. Where the two really differ (ordering, health rules, ownership marks, deletion), the
policy of `Application.dialect` has the answer (`core.dialect`).

All durations are seconds. All collections are tuples, so that a value can be hashed, compared and sent as JSON.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from gitops_workers.core.policy.project import Project
from gitops_workers.core.prune.deletion_request import Deleting, DeletionRequest
from gitops_workers.core.render.render_spec import Pairs, RenderSpec, SecretRef
from gitops_workers.core.settings.installation import Installation
from gitops_workers.core.source.urls import normalise_url, without_credentials
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.core.sync.sync_policy import SyncPolicy

AppId = str
"""`<kind>/<namespace>/<name>`, lower-case kind: `application/argocd/guestbook`, `kustomization/flux-system/apps`."""


GIT = "git"
"""The kind of a source that is a Git repository."""


class Dialect(enum.StrEnum):
    """Whose manifests an application was written in."""

    ARGOCD = "argocd"
    FLUX = "flux"


class RevisionKind(enum.StrEnum):
    """How the wanted revision is named."""

    ARGOCD = "argocd"
    """One text under Argo CD's rules: "" and HEAD, branch, tag, commit, semver, semver constraint, name pattern."""
    BRANCH = "branch"
    TAG = "tag"
    SEMVER = "semver"
    NAME = "name"
    """A full ref name: refs/heads/x, refs/pull/1/head."""
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class RevisionSpec:
    """Which revision is wanted. `branch` is set only beside COMMIT: the commit must be on it (Flux)."""

    kind: RevisionKind = RevisionKind.ARGOCD
    value: str = ""
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where files come from. `credential` None means: the repository Secrets whose url matches (Argo CD's rule)."""

    url: str
    revision: RevisionSpec = RevisionSpec()
    path: str = "."
    credential: SecretRef | None = None
    ignore: str | None = None
    """Flux `spec.ignore`, gitignore syntax; None means the defaults plus any `.sourceignore`."""
    timeout: float = 60.0
    submodules: bool = True
    """Whether submodules are fetched where something in them is read: in Argo CD always, in Flux on request."""
    kind: str = GIT
    """Which implementation of the port `Sources` reads it (`wiring.sources`)."""

    @property
    def shown(self) -> str:
        """The URL for messages, statuses and logs, without credentials."""
        return without_credentials(self.url)

    @property
    def identity(self) -> str:
        """One name for all spellings of the source: what webhooks are compared with, and revisions are common to."""
        return normalise_url(self.url) if self.kind == GIT else f"{self.kind}:{self.shown}"

    @property
    def access(self) -> tuple[str, str, SecretRef | None]:
        """Whose answers may be shared: what one may read is for no one who names another credential."""
        return self.kind, self.url, self.credential


@dataclass(frozen=True, slots=True)
class Destination:
    """A cluster by its name in our configuration, or by server URL; `namespace` for objects that name none."""

    name: str = ""
    server: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """Differences to leave alone, in the objects that all given parts select.

    Argo CD (`ignoreDifferences`): `group` and `kind` are globs, `name` and `namespace` exact, empty means any. Flux
    (`ignore[].target`): `target` is a kustomize selector as sorted (field, value) pairs, and the rest stays empty.
    """

    group: str = "*"
    kind: str = "*"
    name: str = ""
    namespace: str = ""
    target: Pairs = ()
    pointers: tuple[str, ...] = ()
    """JSON pointers (RFC 6901)."""
    jq: tuple[str, ...] = ()
    """jq path expressions."""
    managers: tuple[str, ...] = ()
    """Field managers: whatever they own is theirs."""


@dataclass(frozen=True, slots=True)
class HealthExpressions:
    """Flux `healthCheckExprs[]`: CEL for a kind, or for a whole group where `kind` is empty."""

    group: str
    kind: str
    current: str
    in_progress: str = ""
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When to look again: `interval` plus 0 to `jitter` seconds, after a failure `retry_interval`."""

    interval: float
    jitter: float
    retry_interval: float
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A remark that stays with the application: Argo CD's condition types where one fits."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Application:
    """One unit of reconciliation: a source, how it becomes objects, where they go, what may be done."""

    id: AppId
    dialect: Dialect
    source: SourceSpec
    render: RenderSpec
    destination: Destination
    sync: SyncPolicy
    schedule: Schedule
    project: str = "default"
    limits: Project | None = None
    """The project's rules; None where the catalogue holds none: `default` then allows everything."""
    installation: Installation | None = field(default=None, compare=False)
    """The installation's settings for it, put in for one attempt; never stored."""
    labels: Pairs = ()
    history_limit: int = 10
    ignore: tuple[IgnoreRule, ...] = ()
    health_rules: tuple[HealthExpressions, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    needed: bool = field(default=False, compare=False)
    """Others depend on it: document `dependants/<id>` names them. No change of the application itself."""
    conditions: tuple[Condition, ...] = ()
    refusal: str = ""
    """Not empty: a known field that this version does not do would change what is applied or deleted. No sync."""
    origin: str = ""
    """Where it was declared: file or repository path, for messages."""
    declared_source: str = ""
    """`GitRepository/flux-system/apps`: the manifest that its source comes from, where that is one of its own."""
    deleting: Deleting = field(default_factory=Deleting)
    leaving: DeletionRequest | None = None
    """Set when the manifest is gone and the objects are to go with it (core.deletion)."""

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rsplit("/", 1)[1]

    @property
    def namespace(self) -> str:
        """The namespace the manifest stands in (not the destination's)."""
        return self.id.split("/")[1]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A revision resolved once per attempt. `ref` is what people call it: `main`, `v1.2.0`, `refs/pull/1/head`."""

    commit: str
    ref: str = ""


class HealthStatus(enum.StrEnum):
    """Argo CD's words; kstatus' words beside them. Each dialect's rules use their own."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"
    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"


@dataclass(frozen=True, slots=True)
class Health:
    """The health of an object or of an application, with the rule's own message."""

    status: HealthStatus
    message: str = ""


class SyncStatus(enum.StrEnum):
    """Whether the cluster agrees with Git."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class Phase(enum.StrEnum):
    """Argo CD's operation phases."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    TERMINATING = "Terminating"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a manifest: where, what was found, what is allowed. `line` 0 means unknown."""

    file: str
    line: int
    path: str
    message: str
    known: bool = field(default=False)
    """True for a field that upstream knows and this version does not do: a condition, not an error."""

    def __str__(self) -> str:
        """`file:line: field: message`, the form compilers use, so that editors can jump to it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"
