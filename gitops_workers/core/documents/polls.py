"""What polls and the catalogue's refresh keep to compare with: small, and all of it written anew when it is lost."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.documents.codec import Row
from gitops_workers.core.objects import GroupKind
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.text.plural import amount


@dataclass(frozen=True, slots=True)
class PollFingerprint(Row):
    """What a poll compares of one application: one that failed has its commit, or the reason, alone."""

    commit: str
    closure: str
    objects: str
    """One word for the identities and versions of the agreed objects (`sync_baseline.fingerprint`)."""
    kinds: tuple[GroupKind, ...]
    """The kinds that have to be listed for it."""
    rules: str = ""
    waits_since: float = 0.0
    """Since when (epoch s) objects are awaited; 0: none is."""


@dataclass(frozen=True, slots=True)
class PollGroup:
    """The applications that one poll is for, and how often it is due (seconds)."""

    apps: tuple[str, ...]
    interval: float
    jitter: float
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExternalInputs:
    """What a catalogue refers to besides its files."""

    maps: tuple[tuple[str, str], ...] = ()
    """Of ConfigMaps: `(namespace, name)`."""
    hooks: tuple[tuple[str, str, str, str], ...] = ()
    """Of Receivers: `(namespace and name of the Secret, name and namespace of the Receiver)`."""


@dataclass(frozen=True, slots=True)
class StoredReceiver:
    """A Receiver as the refresh saved it; `groups` are the poll groups of its resources. Its token is not stored."""

    namespace: str
    name: str
    type: str
    token: tuple[str, str, str]
    """Kind, namespace and name of what holds the token."""
    events: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    suspended: bool = False

    @property
    def secret(self) -> SecretRef:
        """Where the token is."""
        return SecretRef(*self.token)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A finished deployment as it is shown. The source stays in the cluster: nobody but a rollback reads it."""

    id: int
    revision: str = ""
    ref: str = ""
    digest: str = ""
    initiated_by: str = ""
    deployed_at: str = ""
    outcome: str = ""
    exact: bool = False
    """A rollback renders the same objects again; else the commit with the parameters of its day."""


@dataclass(frozen=True, slots=True)
class CatalogueRemarks:
    """What is wrong or without effect in the catalogue; `total` counts those beyond the kept lines, too."""

    lines: tuple[str, ...] = ()
    total: int = 0

    @property
    def summary(self) -> str:
        """One sentence; "" where there is nothing to say."""
        return f"The catalogue has {amount(self.total, 'remark')}." if self.total else ""
