"""What happens to the objects when the manifest of their application goes."""

from __future__ import annotations

import pytest

from gitops_workers.core.errors import ClusterUnavailable
from gitops_workers.core.health.argocd import HOOK_FINALIZER
from gitops_workers.core.model import Dialect, Phase, SyncStatus
from gitops_workers.core.objects import GroupKind, Manifest, ObjectKey
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.ports import Urgency
from tests.documents import raw
from tests.unit.core.making import crd, manifest
from tests.unit.pipeline.leaving import RESOURCES, LeavingLab, annotated_with, app_id, argo, declared, flux
from tests.unit.pipeline.moves import config, deployment

WEB = app_id(Dialect.ARGOCD)


@pytest.fixture
def lab() -> LeavingLab:
    return LeavingLab()


def annotated(name: str, **annotations: str) -> Manifest:
    item = config(name)
    item["metadata"]["annotations"] = {key.replace("__", "/"): value for key, value in annotations.items()}
    return item


OPTIONS = "argocd.argoproj.io__sync-options"


def lamps() -> Manifest:
    definition = crd("Lamp", "example.com")
    definition["spec"] |= {"names": {"kind": "Lamp", "plural": "lamps"}, "versions": [{"name": "v1"}]}
    return definition


def begun(lab: LeavingLab, *objects: Manifest, manifest: str = "") -> None:
    """The application is synced, and its manifest goes."""
    lab.push(*objects)
    lab.begin(manifest or argo())
    assert set(lab.names()) >= {item["metadata"]["name"] for item in objects if item["kind"] == "ConfigMap"}
    lab.declare_all()


@pytest.mark.parametrize("dialect", Dialect)
def test_its_objects_go_then_its_record_then_what_we_know_of_it(lab: LeavingLab, dialect: Dialect) -> None:
    app = app_id(dialect)
    begun(lab, config("a"), config("b"), manifest=declared(dialect))
    lab.settle_down(60)
    assert lab.names() == []
    assert lab.record(app) is None
    assert lab.state.application(app) is None
    assert lab.state.status(app) is None
    assert lab.queue.wanted(app) == 0
    event = lab.removed(app)
    assert event is not None
    assert event.message == "Deleted: 2 objects deleted."


def test_it_is_shown_as_being_deleted_and_nothing_goes_in_the_first_moment(lab: LeavingLab) -> None:
    begun(lab, config("a"))
    lab.settle_down(10)
    status = lab.status(WEB)
    assert status.message.startswith("Being deleted")
    assert status.operation is not None
    assert status.operation.phase is Phase.RUNNING
    assert lab.names() == ["a"]
    stored = lab.record(WEB)
    assert stored is not None
    assert stored.record.deletion is not None, "the wish is in the cluster before anything is deleted"


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (argo(finalizer="example.com/other"), ""),
        (flux().replace("prune: true", "prune: false"), ""),
        (flux(deletionPolicy="Orphan"), ""),
        (flux(), flux(suspend="true")),
    ],
)
def test_without_a_policy_the_objects_stay(lab: LeavingLab, text: str, last: str) -> None:
    lab.push(config("a"))
    lab.begin(text)
    lab.begin(last or text)
    lab.declare_all()
    lab.settle_down(60)
    assert lab.names() == ["a"]
    assert lab.state.applications() == ["application/argocd/other"]


def test_argo_cd_deletes_the_highest_wave_first_and_waits_until_it_is_really_gone(lab: LeavingLab) -> None:
    begun(lab, config("first", wave=-1), config("middle", wave=2), config("last", wave=7))
    middle = lab.finalize("middle")
    lab.settle_down(40)
    assert lab.names() == ["first", "middle"]
    message = lab.status(WEB).message
    assert "wave 2: waiting for 1 object, first ConfigMap shop/middle" in message
    assert "example.com/slow" in message
    lab.release(middle)
    lab.settle_down(20)
    assert lab.names() == []
    assert lab.state.application(WEB) is None


@pytest.mark.parametrize(
    ("finalizer", "propagation"),
    [(RESOURCES, "Foreground"), (f"{RESOURCES}/foreground", "Foreground"), (f"{RESOURCES}/background", "Background")],
)
def test_the_finalizer_chooses_the_cascade(lab: LeavingLab, finalizer: str, propagation: str) -> None:
    begun(lab, config("a"), manifest=argo(finalizer=finalizer))
    lab.settle_down(60)
    assert lab.cluster.propagations == [propagation]


def test_what_argo_cd_never_deletes(lab: LeavingLab) -> None:
    begun(
        lab,
        config("a"),
        annotated("kept", **{OPTIONS: "Delete=false"}),
        annotated("policy", **{"helm.sh__resource-policy": "keep"}),
        lamps(),
    )
    lab.settle_down(60)
    assert lab.names() == ["kept", "policy"]
    assert GroupKind("example.com", "Lamp") in lab.cluster.discovery().resources
    event = lab.removed(WEB)
    assert event is not None
    assert "1 object deleted, 3 kept" in event.message


def test_the_objects_of_hook_runs_go_too_although_our_finalizer_held_them(lab: LeavingLab) -> None:
    hook = manifest("Job", "migrate", "batch/v1", spec={"image": 1})
    hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "PreSync"}
    begun(lab, config("a"), hook)
    key = ObjectKey("batch", "Job", "shop", "migrate")
    live = lab.cluster.objects()[key]
    live["metadata"]["finalizers"] = [HOOK_FINALIZER]
    lab.cluster.edit(live)
    lab.settle_down(60)
    assert lab.names() == []
    assert lab.state.application(WEB) is None


def test_flux_deletes_against_the_order_of_the_apply_and_definitions_too(lab: LeavingLab) -> None:
    definition = lamps()
    lamp = manifest("Lamp", "desk", "example.com/v1")
    lab.push(definition, lamp, deployment("web", 0), config("a"))
    lab.begin(flux(deletionPolicy="WaitForTermination"))
    gone: list[str] = []
    lab.cluster.before_write = lambda verb, key: gone.append(key.name) if verb == "delete" else None
    lab.declare_all()
    lab.settle_down(60)
    assert gone == ["desk", "web", "a", "lamps.example.com"]
    assert lab.state.application(app_id(Dialect.FLUX)) is None


@pytest.mark.parametrize(("policy", "waits"), [("MirrorPrune", False), ("WaitForTermination", True)])
def test_only_wait_for_termination_waits_and_not_for_ever(lab: LeavingLab, policy: str, waits: bool) -> None:
    app = app_id(Dialect.FLUX)
    begun(lab, config("a"), config("b"), manifest=flux(deletionPolicy=policy))
    lab.finalize("a")
    lab.settle_down(60)
    assert lab.names() == ["a"]
    assert (lab.state.application(app) is not None) is waits
    lab.settle_down(120)
    assert lab.state.application(app) is None
    event = lab.removed(app)
    assert event is not None
    assert (event.type, "1 still terminating (ConfigMap shop/a)" in event.message) == (
        ("Warning", True) if waits else ("Normal", False)
    )


def test_a_strangers_object_survives(lab: LeavingLab) -> None:
    lab.push(config("a"), config("b"))
    lab.begin(argo())
    lab.cluster.remove(next(key for key in lab.cluster.objects() if key.name == "a"))
    stranger = manifest("ConfigMap", "a", namespace="shop", data={"v": "mine"})
    lab.declare_all()
    lab.cluster.edit(stranger)
    lab.settle_down(60)
    assert lab.cluster.objects()[next(key for key in lab.cluster.objects() if key.name == "a")]["data"] == {"v": "mine"}
    assert lab.names() == ["a"]
    assert lab.state.application(WEB) is None


def test_delete_confirm_waits_for_a_human_and_touches_nothing_before(lab: LeavingLab) -> None:
    begun(lab, config("a", wave=5), annotated("asks", **{OPTIONS: "Delete=confirm"}))
    lab.settle_down(100)
    assert lab.names() == ["a", "asks"]
    assert f"app delete {WEB} --yes" in lab.status(WEB).message
    lab.ask_deletion(WEB)
    lab.settle_down(20)
    assert lab.names() == []


def test_an_approval_in_the_manifest_counts(lab: LeavingLab) -> None:
    stamp = "1970-01-12T13:46:00Z"  # the lab's clock begins at 13:46:40
    text = annotated_with(f'argocd.argoproj.io/deletion-approved: "{stamp}"')
    begun(lab, annotated("asks", **{OPTIONS: "Delete=confirm"}), manifest=text)
    lab.settle_down(60)
    assert lab.names() == []


def test_an_application_that_comes_back_at_once_is_as_before(lab: LeavingLab) -> None:
    begun(lab, config("a"))
    lab.settle_down(6)
    assert lab.status(WEB).message.startswith("Being deleted")
    lab.declare_all(argo())
    lab.settle_down(60)
    assert lab.names() == ["a"]
    assert lab.status(WEB).sync is SyncStatus.SYNCED
    stored = lab.record(WEB)
    assert stored is not None
    assert (stored.record.deletion, stored.record.open) == (None, False)


def test_an_application_that_comes_back_halfway_is_synced_again(lab: LeavingLab) -> None:
    begun(lab, config("first", wave=0), config("last", wave=1))
    first = lab.finalize("first")
    lab.settle_down(40)
    assert lab.names() == ["first"]
    lab.declare_all(argo())
    lab.settle_down(20)
    lab.release(first)
    lab.settle_down(200)
    assert lab.names() == ["first", "last"]
    assert lab.status(WEB).sync is SyncStatus.SYNCED
    stored = lab.record(WEB)
    assert stored is not None
    assert stored.record.deletion is None


def test_an_application_that_is_back_with_an_error_is_not_deleted(lab: LeavingLab) -> None:
    begun(lab, config("a"))
    lab.settle_down(6)
    lab.declare_all(argo().replace("name: east", "name: east, server: both"))
    lab.settle_down(60)
    assert lab.names() == ["a"]
    assert lab.status(WEB).sync is SyncStatus.SYNCED
    stored = lab.record(WEB)
    assert stored is not None
    assert stored.record.deletion is None


def test_a_suspension_by_hand_pauses_a_deletion(lab: LeavingLab) -> None:
    begun(lab, config("a"))
    lab.settle_down(6)
    lab.state.save(raw("override"), WEB, {"suspended": True, "by": "ann"})
    lab.queue.request(WEB, "suspend", Urgency.MANUAL)
    lab.settle_down(60)
    assert lab.names() == ["a"]
    assert "app resume" in lab.status(WEB).message
    lab.state.save(raw("override"), WEB, {"suspended": False, "by": "ann"})
    lab.queue.request(WEB, "resume", Urgency.MANUAL)
    lab.settle_down(30)
    assert lab.names() == []


def test_a_cluster_that_is_away_is_waited_for(lab: LeavingLab) -> None:
    begun(lab, config("a"))
    lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer"), 10)
    lab.settle_down(30)
    assert lab.names() == ["a"]
    message = lab.status(WEB).message
    assert message.startswith("Being deleted, since ")
    assert f"app delete {WEB} --cascade orphan" in message
    lab.settle_down(900)
    assert lab.names() == []
    assert lab.state.application(WEB) is None


@pytest.mark.parametrize("away", [False, True])
def test_a_human_gives_the_objects_up(lab: LeavingLab, away: bool) -> None:
    begun(lab, config("a"))
    lab.settle_down(6)
    if away:
        lab.cluster.fail_next(ClusterUnavailable("cluster east does not answer."), 400)
    lab.ask_deletion(WEB, Cascade.ORPHAN)
    lab.settle_down(10)
    assert lab.names() == ["a"]
    assert lab.state.application(WEB) is None
    event = lab.removed(WEB)
    assert event is not None
    assert ("delete ConfigMap gitops-workers/application.argocd.web" in event.message) is away
    assert (lab.record(WEB) if not away else None) is None


def test_an_application_that_deployed_nothing_just_goes(lab: LeavingLab) -> None:
    lab.push(config("a"), path="elsewhere")
    lab.begin(argo().replace("automated: {prune: true, selfHeal: true}", ""))
    lab.declare_all()
    lab.settle_down(30)
    assert lab.state.application(WEB) is None
