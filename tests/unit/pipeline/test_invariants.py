"""Whatever happens to workers, Redis, Git and the cluster, in whatever order, the promises hold.

I1: when the bad luck is over, the cluster is what HEAD renders. I2: no older commit is written over a newer one (at
most one request of a frozen worker may come late). I3: no delete without a render and a read by the same attempt,
never of a stranger's object. And nothing is orphaned: what carries our mark is desired or in the record. A hook is
created once per operation and phase, and nothing of ours holds its object when all is done.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from gitops_workers.core.model import Dialect
from gitops_workers.core.objects import Manifest, ObjectKey
from gitops_workers.core.record.record import PART_OF, applyset_id
from gitops_workers.core.scheduling.poll_groups import cluster_group, repository_group
from gitops_workers.core.sync.request import selector
from gitops_workers.ports import TaskMessage, Urgency
from tests.unit.core.making import manifest
from tests.unit.pipeline.hazards import Fate, HazardLab

NAMES = "abcd"
HOOK = "h"
POLICIES = ("BeforeHookCreation", "HookSucceeded", "HookSucceeded,BeforeHookCreation")
LONG = int(os.environ.get("TEST_GAMES", "0"))
"""So many games for a search by hand; it reports what it finds at once, without making the story shorter."""
WISHES: list[dict[str, Any]] = [
    {},
    {"force": True},
    {"dry_run": True, "prune": True},
    {"terminate": True},
    {"resources": (selector(":ConfigMap:a"), selector("apps:Deployment:d"))},
    {"resources": (selector("!:ConfigMap:a"),)},
    {"rollback": 0},
    {"revision": "HEAD"},
]
"""None of them keeps an automated application from becoming what HEAD says."""
values = st.integers(1, 3)
contents = st.dictionaries(st.sampled_from(NAMES + HOOK), st.tuples(values, st.sampled_from([0, 0, 1, 2])), min_size=1)
bundles = contents.filter(lambda content: content.keys() != {HOOK})
"""With hooks alone everything else would have to be pruned, and that asks for consent (see push_only_a_hook)."""


def rendered(content: dict[str, tuple[int, int]]) -> list[Manifest]:
    """`d` is a Deployment, so that some operations have to wait for it, `h` a hook; the others are ConfigMaps."""
    found = []
    for name, (value, wave) in content.items():
        if name == HOOK:
            job = manifest("Job", name, "batch/v1", spec={"image": value})
            phase, policy = ("PreSync", "PostSync", "PreSync,Sync")[value - 1], POLICIES[wave]
            job["metadata"]["annotations"] = {
                "argocd.argoproj.io/hook": phase,
                "argocd.argoproj.io/hook-delete-policy": policy,
            }
            found.append(job)
        elif name == "d":
            found.append(manifest("Deployment", name, "apps/v1", wave=wave, spec={"replicas": value}))
        else:
            found.append(manifest("ConfigMap", name, wave=wave, data={"v": str(value)}))
    return found


class Games(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.lab = HazardLab()
        self.app = ""
        self.head: dict[str, tuple[int, int]] = {}
        self.heals = True
        self.good = False
        """Whether the newest commit can be synced unasked."""

    @initialize(
        dialect=st.sampled_from(list(Dialect)),
        first=bundles,
        heals=st.booleans(),
        options=st.sets(st.sampled_from(["replace", "prune_last"])),
        timeout=st.sampled_from([0.0, 20.0]),
    )
    def begin(
        self, dialect: Dialect, first: dict[str, tuple[int, int]], heals: bool, options: set[str], timeout: float
    ) -> None:
        """Without self-heal nobody edits by hand and nobody freezes: what is left differing then is our own doing."""
        self.heals = heals
        self.push_good(first)
        chosen: dict[str, Any] = dict.fromkeys(sorted(options), True)
        self.app = self.lab.declare(dialect, prune=True, self_heal=heals, timeout=timeout, **chosen)

    # --- what people do --------------------------------------------------------------------------------------------
    @rule(content=bundles)
    def push_good(self, content: dict[str, tuple[int, int]]) -> None:
        self.head, self.good = content, True
        self.lab.push(*rendered(content))

    @rule()
    def push_broken(self) -> None:
        self.good = False
        self.lab.push(broken=b"{")

    @rule()
    def push_empty(self) -> None:
        self.good = False
        self.lab.repository.commit({"README": b"nothing else"})
        self.lab.order[self.lab.repository.refs["refs/heads/main"]] = len(self.lab.order)

    @rule(value=values)
    def push_only_a_hook(self, value: int) -> None:
        self.good = False
        self.lab.push(*rendered({HOOK: (value, 0)}))

    @rule()
    def webhook(self) -> None:
        self.lab.now += 0.001
        group = repository_group(self.lab.applications[self.app])
        self.lab.queue.request_poll(group, Urgency.WEBHOOK)

    @rule()
    def look_at_the_cluster(self) -> None:
        self.lab.queue.request_poll(cluster_group("east"), Urgency.POLL)

    @rule(wish=st.sampled_from(WISHES))
    def ask_for_a_sync(self, wish: dict[str, Any]) -> None:
        self.lab.ask(self.app, **wish)

    @precondition(lambda self: self.heals)
    @rule(name=st.sampled_from(NAMES))
    def edit_by_hand(self, name: str) -> None:
        if (key := self._key(name)) in self.lab.cluster.objects():
            kind, api = ("Deployment", "apps/v1") if name == "d" else ("ConfigMap", "v1")
            body: dict[str, Any] = {"spec": {"replicas": 7}} if name == "d" else {"data": {"v": "by hand"}}
            self.lab.cluster.edit(manifest(kind, name, api, namespace=key.namespace, **body))

    @precondition(lambda self: self.heals)
    @rule(name=st.sampled_from(NAMES))
    def delete_by_hand(self, name: str) -> None:
        self.lab.cluster.remove(self._key(name))

    @rule(mark=st.sampled_from(["", "another", "ours"]))
    def a_stranger_comes(self, mark: str) -> None:
        """Also one whose manifest was copied together with our label."""
        label = {"": "", "another": applyset_id("application/argocd/another"), "ours": applyset_id(self.app)}[mark]
        strange = manifest("ConfigMap", f"stranger-{mark or 'plain'}", namespace="shop", data={"v": "mine"})
        if label:
            strange["metadata"]["labels"] = {PART_OF: label}
        self.lab.cluster.edit(strange)

    @rule()
    def controllers_report(self) -> None:
        self.lab.controllers_report()

    # --- what happens to machines ----------------------------------------------------------------------------------
    @rule(seconds=st.sampled_from([0.5, 2.0, 7.0, 31.0, 70.0]))
    def time_passes(self, seconds: float) -> None:
        self.lab.now += seconds

    @rule(host=st.integers(0, 1))
    def a_worker_answers(self, host: int) -> None:
        for bell in self._bells():
            self.lab.answer(bell, host=host)

    @rule(fate=st.sampled_from(list(Fate)), at=st.integers(1, 30), host=st.integers(0, 1))
    def a_worker_is_unlucky(self, fate: Fate, at: int, host: int) -> None:
        if fate is Fate.FREEZE and not self.heals:
            fate = Fate.KILL
        for bell in self._bells():
            self.lab.answer(bell, host=host, at=at, fate=fate)

    @rule(content=bundles, fate=st.sampled_from(list(Fate)), at=st.integers(1, 30), host=st.integers(0, 1))
    def a_push_meets_an_unlucky_worker(
        self, content: dict[str, tuple[int, int]], fate: Fate, at: int, host: int
    ) -> None:
        """The games that matter most, in one move: a commit, its webhook, and a mishap in the middle of the sync."""
        self.push_good(content)
        self.webhook()
        self.a_worker_answers(host)
        self.a_worker_is_unlucky(fate, at, host)

    @rule(content=bundles, fate=st.sampled_from(list(Fate)), at=st.integers(8, 30), host=st.integers(0, 1))
    def an_interrupted_commit_is_reverted(
        self, content: dict[str, tuple[int, int]], fate: Fate, at: int, host: int
    ) -> None:
        before = self.head
        self.a_push_meets_an_unlucky_worker(content, fate, at, host)
        self.time_passes(31.0)
        self.push_good(before)
        self.webhook()
        self.a_worker_answers(1 - host)
        self.a_worker_answers(1 - host)

    @precondition(lambda self: self.heals)
    @rule(old=bundles, new=bundles, at=st.integers(8, 30), seconds=st.sampled_from([0.0, 31.0]))
    def a_frozen_worker_is_overtaken(
        self, old: dict[str, tuple[int, int]], new: dict[str, tuple[int, int]], at: int, seconds: float
    ) -> None:
        self.a_push_meets_an_unlucky_worker(old, Fate.FREEZE, at, 0)
        self.time_passes(31.0)
        self.a_push_meets_an_unlucky_worker(new, Fate.KILL, 100, 1)
        self.time_passes(seconds)
        while self.lab.frozen:
            self.lab.thaw()

    @precondition(lambda self: self.lab.frozen)
    @rule()
    def a_frozen_worker_goes_on(self) -> None:
        self.lab.thaw()

    @rule()
    def messages_are_lost(self) -> None:
        self._bells()

    @rule(down=st.booleans())
    def git_goes_down_or_comes_back(self, down: bool) -> None:
        self.lab.repository.down = "connection refused" if down else ""

    @rule()
    def redis_is_emptied(self) -> None:
        self.lab.flush()

    def _bells(self) -> list[TaskMessage]:
        self.lab.queue.sweep()
        return list(self.lab.queue.dispatch(100))

    def _key(self, name: str) -> ObjectKey:
        group, kind = {"d": ("apps", "Deployment"), HOOK: ("batch", "Job")}.get(name, ("", "ConfigMap"))
        return ObjectKey(group, kind, "shop", name)

    # --- what must hold ----------------------------------------------------------------------------------------------
    @invariant()
    def strangers_are_left_alone(self) -> None:
        for key, live in self.lab.cluster.objects().items():
            if key.name.startswith("stranger"):
                assert live["data"] == {"v": "mine"}

    @invariant()
    def nothing_is_orphaned(self) -> None:
        if not self.app:
            return
        stored = self.lab.clusters.records("east").load(self.app)
        known = {item.key for item in (*stored.record.inventory, *stored.record.hooks)} if stored else set()
        for key, live in self.lab.cluster.objects().items():
            labels = live["metadata"].get("labels") or {}
            ours = labels.get(PART_OF) == applyset_id(self.app) and not key.name.startswith("stranger")
            if ours and key not in self.lab.ghosts:
                assert key in known, f"{key} is in no inventory"

    def teardown(self) -> None:
        if not self.app:
            return
        self.lab.repository.down = ""
        while self.lab.frozen:
            self.lab.thaw()
        if not self.good:
            self.push_good(self.head)
        self.lab.settle_down(600.0)
        self.the_cluster_is_what_head_renders()
        self.nothing_is_orphaned()
        self.strangers_are_left_alone()

    def the_cluster_is_what_head_renders(self) -> None:
        flux = self.lab.applications[self.app].dialect is Dialect.FLUX  # where a hook is an object like any other
        names = [name for name in self.head if name != HOOK or flux]
        wanted = {self._key(name): self.head[name][0] for name in names}
        foreign = self.lab.ghosts - wanted.keys()
        live = {
            key: item
            for key, item in self.lab.cluster.objects().items()
            if key.namespace == "shop" and not key.name.startswith("stranger") and key not in foreign
            if key.name != HOOK or flux
        }
        hook = self.lab.live("Job", HOOK, "batch")
        assert flux or hook is None or not hook["metadata"].get("finalizers"), "a hook is still held"
        status = self.lab.status(self.app)
        assert set(live) == set(wanted), f"{status.sync}: {status.message}"
        for key, value in wanted.items():
            body = live[key]
            found = {"Deployment": "replicas", "Job": "image"}.get(key.kind)
            found = body["spec"][found] if found else body["data"]["v"]
            assert str(found) == str(value), f"{key}: {status.sync}: {status.message}"
        assert status.sync == "Synced", status.message
        assert not (status.operation and status.operation.phase == "Running"), status.operation


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("quiet")
def test_the_promises_hold_whatever_happens() -> None:
    play(
        Games,
        settings=settings(
            max_examples=LONG or 60,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.generate] if LONG else list(Phase),
            suppress_health_check=list(HealthCheck),
        ),
    )
