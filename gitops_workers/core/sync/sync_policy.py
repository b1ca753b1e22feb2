"""What may be done to an application without being asked, and how a sync of it behaves."""

from __future__ import annotations

from dataclasses import dataclass

from gitops_workers.core.render.render_spec import Pairs


@dataclass(frozen=True, slots=True)
class Retry:
    """Backoff after a failed operation: min(maximum, first * factor ** n). `limit`: so many of them, -1: all."""

    limit: int = 5
    first: float = 5.0
    factor: float = 2.0
    maximum: float = 180.0


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """What may be done without being asked, and how a sync behaves."""

    automated: bool = False
    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False
    create_namespace: bool = False
    force: bool = False
    """Flux `spec.force`, Argo CD `Force=true`: delete and create an object whose immutable field changed."""
    wait: bool = False
    """The operation ends when every object is healthy (Flux `wait: true`)."""
    health_checks: tuple[tuple[str, str, str, str], ...] = ()
    """Flux `healthChecks` as (apiVersion, kind, namespace, name): waited for when `wait` is off."""
    timeout: float = 0.0
    """Deadline of one operation; 0 means none."""
    retry: Retry = Retry()
    finish_first: bool = False
    """A running operation is finished at its own commit before a newer one is looked at; else that replaces it."""
    absorb: bool = True
    """kubectl's fields become ours with an apply, so that what Git does not have goes (see core.absorption)."""
    respect_ignored: bool = False
    """Ignored fields keep their live value in an apply, too (RespectIgnoreDifferences; always so in Flux)."""
    prune_option: str = ""
    """Argo CD's sync option `Prune` where an object names none: "", `false` or `confirm`."""
    prune_last: bool = False
    propagation: str = ""
    """How deletes treat dependants, in the API server's words; "" is the dialect's own way."""
    validate: bool = True
    """Fields that the server does not know are refused (Argo CD `Validate=false`: they are left out)."""
    skip_missing: bool = False
    """A kind need not be served before its object's turn (SkipDryRunOnMissingResource)."""
    replace: bool = False
    """Live objects are overwritten as a whole (Argo CD `Replace=true`)."""
    fail_on_shared: bool = False
    """An object that another application tracks refuses the sync (FailOnSharedResource)."""
    namespace_labels: Pairs = ()
    namespace_annotations: Pairs = ()
    """Argo CD's managedNamespaceMetadata: what the created namespace gets and keeps."""
