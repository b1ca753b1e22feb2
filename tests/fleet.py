"""A fleet as a company has one: applications on a few clusters, most of them well. The same every time."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gitops_workers.core.documents.kinds import HISTORY
from gitops_workers.core.documents.polls import HistoryRow
from gitops_workers.core.model import (
    Application,
    Condition,
    Destination,
    Dialect,
    HealthStatus,
    Phase,
    Schedule,
    SourceSpec,
    SyncStatus,
)
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.core.status.rows import ClusterView, Event, OperationView, ResourceView, Status
from gitops_workers.core.sync.sync_policy import SyncPolicy
from gitops_workers.ports import State

CLUSTERS = ("prod-eu-1", "prod-eu-2", "prod-us-1", "prod-us-2", "staging", "edge-oslo")
TEAMS = ("checkout", "search", "identity", "payments", "catalog", "platform", "data", "mobile")
PARTS = (
    *("api", "web", "worker", "gateway", "scheduler", "cache", "indexer", "mailer", "reports", "exporter", "proxy"),
    *("ledger", "billing", "profile", "session", "import", "sync", "quota", "audit", "notify", "pricing", "stock"),
    *("media", "events", "flags"),
)
DEGRADED = 'Deployment "{part}" exceeded its progress deadline'
PROGRESSING = "Waiting for rollout to finish: 1 out of 3 new replicas have been updated"
REFUSED = "ServiceMonitor.monitoring.coreos.com {part}: the cluster does not serve this kind"


def fleet(count: int, now: datetime | None = None) -> Iterator[Status]:
    """That many rows."""
    chance = random.Random(20_26)  # the same fleet in every run
    now = now or datetime.now(UTC)
    for number in range(count):
        team, part = TEAMS[number % len(TEAMS)], PARTS[number // len(TEAMS) % len(PARTS)]
        cluster = CLUSTERS[number // (len(TEAMS) * len(PARTS)) % len(CLUSTERS)]
        yield _row(chance, now, team, part, cluster)


def fill(state: State, count: int, now: datetime | None = None) -> list[Status]:
    """Save a fleet with its clusters; the first application gets objects, history and events."""
    now = now or datetime.now(UTC)
    rows = list(fleet(count, now))
    for row in rows:
        state.save_status(row)
    for position, name in enumerate(CLUSTERS):
        down = name == "edge-oslo"
        state.save_cluster(
            ClusterView(
                name,
                f"https://{name}.k8s.example.com:6443",
                "edge" if down else "default",
                not down,
                "connection timed out; one probe a minute until it answers" if down else "",
                sum(row.cluster == name for row in rows),
                *(0, 0, 0.0),
                _stamp(now - timedelta(seconds=20 + position)),
                "v1.37.0",
            )
        )
    _detail(state, rows[0], now)
    return rows


def application(app: str) -> Application:
    """The declared application of a row, automated."""
    return Application(
        app,
        Dialect.FLUX if app.startswith("kustomization/") else Dialect.ARGOCD,
        SourceSpec("https://git.example.com/a.git"),
        RenderSpec(),
        Destination("prod-eu-1"),
        SyncPolicy(automated=True),
        Schedule(120.0, 60.0, 60.0),
    )


def _row(chance: random.Random, now: datetime, team: str, part: str, cluster: str) -> Status:
    flux = team in {"platform", "data"}
    luck = chance.random()
    sync, health, phase = SyncStatus.SYNCED, HealthStatus.HEALTHY, Phase.SUCCEEDED
    message, about = "in sync", ""
    if cluster == "edge-oslo":
        sync, health, message = SyncStatus.UNKNOWN, HealthStatus.UNKNOWN, "the cluster edge-oslo does not answer"
    elif luck > 0.988:
        sync, phase, message = SyncStatus.OUT_OF_SYNC, Phase.FAILED, REFUSED.format(part=part)
    elif luck > 0.975:
        health, about = HealthStatus.DEGRADED, DEGRADED.format(part=part)
    elif luck > 0.95:
        sync, health, phase, about = SyncStatus.OUT_OF_SYNC, HealthStatus.PROGRESSING, Phase.RUNNING, PROGRESSING
    elif luck > 0.935:
        sync, message = SyncStatus.OUT_OF_SYNC, "differs from Git; waits for a sync, because it is not automated"
    if flux:
        words = {HealthStatus.HEALTHY: HealthStatus.CURRENT, HealthStatus.PROGRESSING: HealthStatus.IN_PROGRESS}
        health = {**words, HealthStatus.DEGRADED: HealthStatus.FAILED}.get(health, health)
    ago = timedelta(seconds=int(chance.expovariate(1 / 40_000)) + 5)
    if phase is Phase.RUNNING:
        ago = timedelta(seconds=chance.randrange(3, 90))
    name = f"{team}-{part}-{cluster}"
    commit = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    start, end = now - ago - timedelta(seconds=4), "" if phase is Phase.RUNNING else _stamp(now - ago)
    return Status(
        id=f"kustomization/flux-system/{name}" if flux else f"application/argocd/{name}",
        dialect="flux" if flux else "argocd",
        project="" if flux else team,
        cluster=cluster,
        namespace=f"{team}-{part}",
        repository=f"https://git.example.com/{team}/deploy.git",
        path=f"overlays/{cluster}/{part}",
        sync=sync,
        revision=commit,
        ref="v2.14.0" if cluster.startswith("prod") and chance.random() < 0.4 else "main",
        health=health,
        health_message=about,
        operation=OperationView(phase, message, commit, _stamp(start), end, "automated sync"),
        suspended=chance.random() < 0.01,
        message=message,
        last_checked_at=_stamp(now - timedelta(seconds=chance.randrange(5, 150))),
        next_due_at=_stamp(now + timedelta(seconds=chance.randrange(5, 150))),
        changed_at=_stamp(now - ago),
    )


def _detail(state: State, row: Status, now: datetime) -> None:
    space = row.namespace
    diff = (
        "--- live\n+++ desired\n@@ -12,7 +12,7 @@\n     spec:\n       containers:\n         - name: api\n"
        "-          image: registry.example.com/checkout/api:2.13.4\n"
        "+          image: registry.example.com/checkout/api:2.14.0\n           ports:"
    )
    synced, healthy = SyncStatus.SYNCED, HealthStatus.HEALTHY
    views = [
        ResourceView("", "v1", "Namespace", "", space, synced, None, sync_wave=-1),
        ResourceView("", "v1", "ConfigMap", space, "settings", synced, None),
        ResourceView("", "v1", "Service", space, "api", synced, healthy),
        ResourceView(
            *("apps", "v1", "Deployment", space, "api", SyncStatus.OUT_OF_SYNC, HealthStatus.PROGRESSING),
            *(PROGRESSING, 0, diff),
        ),
        ResourceView("networking.k8s.io", "v1", "Ingress", space, "api", synced, healthy, sync_wave=1),
        ResourceView(
            "batch", "v1", "Job", space, "migrate", synced, healthy, "Reached expected number of succeeded pods"
        ),
    ]
    state.save_resources(row.id, views)
    condition = Condition("SharedResourceWarning", f"ConfigMap {space}/settings is also declared by checkout-web")
    state.save_status(
        Status(
            **{
                **{name: getattr(row, name) for name in row.__dataclass_fields__},
                "conditions": (condition,),
                "sync": SyncStatus.OUT_OF_SYNC,
                "health": HealthStatus.PROGRESSING,
                "health_message": PROGRESSING,
                "message": "main moved to a commit that changes one object; syncing it",
            }
        )
    )
    state.save(
        HISTORY,
        row.id,
        tuple(
            HistoryRow(
                number,
                hashlib.sha1(bytes([number]), usedforsecurity=False).hexdigest(),
                "main",
                initiated_by="automated sync" if number % 3 else "write-1",
                deployed_at=_stamp(now - timedelta(hours=9 * (8 - number))),
                outcome="Failed" if number == 5 else "Succeeded",
            )
            for number in range(1, 8)
        ),
    )
    words = (("OperationStarted", "sync of main started"), ("ApplyRefused", "admission webhook denied the request"))
    for number in range(6):
        reason, text = words[number % 2]
        at = _stamp(now - timedelta(minutes=30 - 5 * number))
        state.add_events([Event(at, row.id, "Warning" if number % 2 else "Normal", reason, text)])


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
