"""Two workers that have read different settings: no attempt decides by the older ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import SETTINGS
from gitops_workers.core.model import Dialect, IgnoreRule
from gitops_workers.core.scheduling.poll_groups import cluster_group
from gitops_workers.core.settings.customizations import Customizations
from gitops_workers.core.telemetry.presence import WORKER, Process
from gitops_workers.pipeline.reconcile import settings_in_force
from gitops_workers.pipeline.reconcile.own_settings import OwnSettings
from gitops_workers.ports import Urgency
from tests.servers.rules import InProcess
from tests.unit.core.making import manifest
from tests.unit.pipeline.lab import Lab

REPLICAS = Customizations(ignore=(IgnoreRule("apps", "Deployment", pointers=("/spec/replicas",)),))


@dataclass
class Worker:
    """One worker process: its rules, and `argocd-cm` as it stands on its host."""

    lab: Lab
    on_disk: Customizations = field(default_factory=Customizations)
    name: str = "one@host"

    def __post_init__(self) -> None:
        self.starts()

    def starts(self) -> None:
        """The process begins, again perhaps, and knows nothing but its files."""
        self.rules = UserRules(InProcess(), self.on_disk)
        own = OwnSettings(self.rules.version, lambda: self.rules.configure(self.on_disk))
        self.context = replace(self.lab.context, rules=self.rules, settings=own)

    def beats(self) -> None:
        """Its heartbeat tells what it reads."""
        self.lab.telemetry.report(Process(WORKER, self.name, ("control",)), {}, self.rules.version())

    def works(self, seconds: float = 5.0) -> None:
        """This worker alone does whatever is due."""
        self.lab.context = self.context
        self.lab.run(seconds)


def deployed(dialect: Dialect = Dialect.ARGOCD) -> tuple[Lab, Worker, Worker]:
    it = Lab()
    one, two = Worker(it), Worker(it, name="two@host")
    it.declare(dialect, self_heal=True)
    it.push(manifest("Deployment", "web", "apps/v1", "shop", spec={"replicas": 1}))
    one.works()
    assert replicas(it) == 1
    return it, one, two


def scaled(it: Lab, count: int) -> None:
    """Somebody scales by hand, and the cluster's poll sees it."""
    it.cluster.edit(manifest("Deployment", "web", "apps/v1", "shop", spec={"replicas": count}))
    it.queue.request_poll(cluster_group("east"), Urgency.POLL)


def replicas(it: Lab) -> int:
    return it.live("Deployment", "web", "apps")["spec"]["replicas"]


def test_a_worker_reads_again_before_it_overwrites_what_newer_settings_leave_alone() -> None:
    it, one, two = deployed()
    one.on_disk = two.on_disk = REPLICAS
    settings_in_force.publish(one.context)
    scaled(it, 5)
    two.works()
    assert replicas(it) == 5
    assert two.rules.version() == one.rules.version()


def test_a_worker_on_a_host_with_the_older_file_leaves_the_application_to_another() -> None:
    it, one, two = deployed()
    two.works()
    one.on_disk = REPLICAS
    settings_in_force.publish(one.context)
    scaled(it, 5)
    two.works(20)
    assert replicas(it) == 5
    one.works()
    assert replicas(it) == 5
    assert it.status("application/argocd/web").sync == "Synced"
    it.push(manifest("Deployment", "web", "apps/v1", "shop", spec={"replicas": 1, "image": "web:2"}))
    it.poll_repository()
    assert it.live("Deployment", "web", "apps")["spec"]["image"] == "web:2"


def test_a_worker_whose_file_stays_old_for_ever_never_puts_it_in_force_again() -> None:
    it, one, two = deployed()
    two.works()
    one.on_disk = REPLICAS
    settings_in_force.publish(one.context)
    scaled(it, 5)
    for round_ in range(40):
        if round_ == 20:
            two.starts()
        for worker in (one, two):
            worker.beats()
        two.works(20)
        assert replicas(it) == 5


def test_a_fleet_rolled_back_pod_by_pod_decides_by_the_earlier_settings_once_the_last_pod_has_them() -> None:
    it, one, two = deployed()
    earlier = one.on_disk
    for worker in (one, two):
        worker.on_disk = REPLICAS
        worker.starts()
        worker.beats()
        settings_in_force.publish(worker.context)
    scaled(it, 5)
    one.on_disk = earlier
    one.starts()
    for _ in range(10):
        one.beats()
        two.beats()
        one.works(10)
    assert replicas(it) == 5, "the other worker reads the later settings"
    two.on_disk = earlier
    two.starts()
    for _ in range(10):
        one.beats()
        two.beats()
        one.works(10)
    assert replicas(it) == 1


def test_settings_that_are_put_back_at_once_count_again() -> None:
    it, one, two = deployed()
    one.on_disk = REPLICAS
    settings_in_force.publish(one.context)
    it.now += 1
    one.on_disk = two.on_disk
    settings_in_force.publish(one.context)
    scaled(it, 5)
    two.works()
    assert replicas(it) == 1


def test_settings_of_which_redis_knows_nothing_any_more_are_put_in_force_again() -> None:
    it, one, _ = deployed()
    it.state.discard(SETTINGS, WHOLE)
    scaled(it, 5)
    one.works()
    assert replicas(it) == 1
    in_force = it.state.load(SETTINGS, WHOLE)
    assert in_force is not None
    assert in_force.digest == one.rules.version()


def test_flux_waits_for_no_settings_of_argo_cd() -> None:
    it, one, two = deployed(Dialect.FLUX)
    one.on_disk = REPLICAS
    settings_in_force.publish(one.context)
    scaled(it, 5)
    two.works()
    assert replicas(it) == 1
