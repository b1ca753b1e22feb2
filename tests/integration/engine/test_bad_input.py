"""What is wrong is said in one sentence, in the status of the application it concerns; everything else goes on.

All applications begin well. Then everything breaks at once, and is mended at once. What was seen on the way is kept,
and the tests, in any order, look at that: each case makes the same promises.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.status.rows import Status
from tests.integration.engine.installation import (
    BINDINGS,
    Installation,
    Repository,
    config_map,
    installation,
    service_account,
    write_contexts,
)

CONTENT: dict[str, tuple[dict[str, str], Any]] = {
    "path": ({"path/": None}, r"path \"path\" does not exist at main \(\w+\): the root holds control,"),
    "kindless": (
        {"kindless/b.yaml": "apiVersion: v1\nmetadata: {name: b}\n"},
        r"kindless/b\.yaml: kind is missing; every object needs apiVersion, kind",
    ),
    "twice": (
        {"twice/b.yaml": config_map("twice", "2")},
        r"ConfigMap twice stands twice: twice/a\.yaml and twice/b\.yaml; .*keep one",
    ),
    "unknown": (
        {"unknown/b.yaml": "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"},
        r"Widget\.example\.com w: the cluster does not serve this kind\. Apply its CustomResourceDefinition",
    ),
    "nowhere": (
        {"nowhere/b.yaml": config_map("b", namespace="no-such-namespace")},
        r"has no namespace no-such-namespace: create it, or set the sync option CreateNamespace=true",
    ),
    "huge": (
        {"huge/b.yaml": config_map("b", "x" * 5_000_000)},
        r"ConfigMap \S+/b in cluster east .* was refused \(413\): .*limit is 3145728",
    ),
    "syntax": (
        {"syntax/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\na: [1\nb: }\n"},
        r"syntax/b\.yaml: line 5: no YAML: did not find expected",
    ),
    "refused": ({"refused/a.yaml": config_map("refused", "2")}, r"is forbidden: .*; grant it to our user there"),
    "expired": (
        {"expired/a.yaml": config_map("expired", "2")},
        r"cluster expired \(https://\S+\) refuses our credential \(401\): it has expired or was revoked; renew it",
    ),
    "hung": ({"hung/a.yaml": config_map("hung", "2")}, r"cluster hung \(https://\S+\) .*(answer|timed out)"),
}
"""Application -> what breaks it, and the words of its status."""
REVISIONS = {
    "branch": r"revision 'release' not found; the repository has main; correct the revision or push it",
    "empty": r"revision 'main' not found: the repository has no branch and no tag; push a first commit",
}
CLUSTERS = {"refused", "expired", "hung"}
CASES = [*CONTENT, *REVISIONS]
WORDS = {**{name: words for name, (_, words) in CONTENT.items()}, **REVISIONS}
MANY = 300


@dataclass(slots=True)
class Scene:
    """The installation and its repositories."""

    site: Installation
    tokens: dict[str, str]
    """Of the service accounts that will lose their rights, or themselves."""
    shared: Repository
    branch: Repository
    empty: Repository


@dataclass(slots=True)
class Seen:
    """What was seen of every case at one time, and which values of the control arrived meanwhile."""

    statuses: dict[str, Status] = field(default_factory=dict)
    values: dict[str, str | None] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)
    control: list[str | None] = field(default_factory=list)


def look(scene: Scene, enough: Callable[[str, Status], object], seconds: float) -> Seen:
    """Wait until every case shows enough, or give up; what is shown then."""
    site, seen = scene.site, Seen()
    deadline = time.monotonic() + seconds
    waiting = set(CASES)
    while waiting and time.monotonic() < deadline:
        for case in tuple(waiting):
            status = site.status(site.app(case))
            assert status is not None
            seen.statuses[case] = status
            if enough(case, status):
                waiting.remove(case)
        time.sleep(0.2)
    for case in CASES:
        seen.rows[case] = [row.name for row in site.state.resources(site.app(case))]
        if case != "hung":
            seen.values[case] = site.value(case)
    return seen


@pytest.fixture(scope="module")
def scene(planes, tmp_path_factory) -> Iterator[Scene]:
    """Everything is well and in sync."""
    east, west = planes.named("east"), planes.named("west")
    with installation(tmp_path_factory.mktemp("engine"), planes) as site:
        names = ("refused", "expired")
        tokens = {name: service_account(east, site.space, name, role="cluster-admin") for name in names}
        contexts = {"east": (east, east.token), "hung": (west, west.token)}
        contexts |= {name: (east, token) for name, token in tokens.items()}
        write_contexts(site.folder / "kubeconfig", contexts)
        scene = Scene(site, tokens, *(site.repository(f"{name}.git") for name in ("shared", "branch", "empty")))
        scene.shared.push({f"{name}/a.yaml": config_map(name) for name in (*CONTENT, "control")})
        scene.branch.push({"branch/a.yaml": config_map("branch")})
        scene.branch.bare.git("branch", "release", "main")
        scene.empty.push({"empty/a.yaml": config_map("empty")})
        places = {name: {"destination": {"name": name}} for name in CLUSTERS}
        apps = [site.argo(name, scene.shared.url, name, **places.get(name, {})) for name in (*CONTENT, "control")]
        apps.append(site.argo("branch", scene.branch.url, "branch", source={"targetRevision": "release"}))
        apps.append(site.argo("empty", scene.empty.url, "empty"))
        for app in apps:
            app["spec"]["syncPolicy"]["retry"] = {"limit": -1, "backoff": {"duration": "1s", "maxDuration": "3s"}}
        site.declare("apps.yaml", *apps)
        for name in (*CASES, "control"):
            site.until_synced(site.app(name))
        try:
            yield scene
        finally:
            west.thaw()


@pytest.fixture(scope="module")
def broken(scene) -> Seen:
    """Everything but the control breaks, in one commit and a few misfortunes."""
    site, east = scene.site, scene.site.east
    east.call("DELETE", f"{BINDINGS}/{site.space}-refused")
    east.call("DELETE", f"/api/v1/namespaces/{site.space}/serviceaccounts/expired")
    for name, code in (("refused", 403), ("expired", 401)):
        # The server remembers for 10 s whom it has let in.
        site.until(
            lambda name=name, code=code: east.call("GET", "/api/v1/pods", token=scene.tokens[name])[0] == code,
            f"{name} has lost its rights",
        )
    site.planes.named("west").freeze()
    scene.branch.bare.git("update-ref", "-d", "refs/heads/release")
    scene.empty.bare.git("update-ref", "-d", "refs/heads/main")
    scene.shared.push({path: text for files, _ in CONTENT.values() for path, text in files.items()})
    control = []
    for number in "2345":
        scene.shared.push({"control/a.yaml": config_map("control", number)})
        site.until(lambda number=number: site.value("control") == number, f"the control's commit {number}")
        control.append(site.value("control"))
    seen = look(scene, lambda case, status: re.search(WORDS[case], status.message), 60)
    seen.control = control
    seen.statuses["control"] = site.until_synced(site.app("control"))
    return seen


@pytest.fixture(scope="module")
def mended(scene, broken) -> Seen:
    """The causes are gone, and nobody told the engine."""
    site, east, west = scene.site, scene.site.east, scene.site.planes.named("west")
    west.thaw()
    contexts = {"east": (east, east.token), "hung": (west, west.token)}
    for name in ("refused", "expired"):
        contexts[name] = (east, service_account(east, site.space, f"{name}-2", role="cluster-admin"))
    write_contexts(site.folder / "kubeconfig", contexts)
    scene.branch.bare.git("branch", "release", "main")
    scene.empty.push({})
    scene.shared.push({f"{name}/b.yaml": None for name in CONTENT} | {"path/a.yaml": config_map("path")})

    def well(_: str, status: Status) -> bool:
        operation = status.operation
        return status.sync is SyncStatus.SYNCED and operation is not None and operation.phase is Phase.SUCCEEDED

    return look(scene, well, 90)


def test_the_healthy_application_gets_its_commits_while_all_others_fail(broken):
    assert broken.control == ["2", "3", "4", "5"]
    assert broken.statuses["control"].conditions == ()


@pytest.mark.parametrize("case", CASES)
def test_one_sentence_names_the_thing_and_what_to_do(broken, case):
    status = broken.statuses[case]
    assert re.search(WORDS[case], status.message)
    assert status.sync is not SyncStatus.SYNCED
    assert [item.message for item in status.conditions] == [status.message]
    assert "\n" not in status.message
    assert 20 < len(status.message) < 700
    assert not re.search(r"Traceback|Error\(|<class|0x[0-9a-f]{8}|/tmp/|/dev/", status.message)


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_deleted_and_the_last_known_health_stays(broken, case):
    if case != "hung":
        assert broken.values[case] == "1"
    assert broken.statuses[case].health is HealthStatus.HEALTHY
    assert case in broken.rows[case]


@pytest.mark.parametrize("case", CASES)
def test_mending_the_cause_is_all_it_takes(mended, case):
    status = mended.statuses[case]
    assert (status.sync, status.health) == (SyncStatus.SYNCED, HealthStatus.HEALTHY)
    assert status.conditions == ()
    assert mended.rows[case] == [case]
    if case in ("refused", "expired"):
        assert mended.values[case] == "2"


def test_an_application_that_never_worked_says_why(scene):
    site = scene.site
    site.repository("blank.git")
    urls = {"blank": site.git.url("blank.git"), "missing": site.git.url("missing.git"), "lost": scene.shared.url}
    apps = {name: site.argo(name, url, "control") for name, url in urls.items()}
    apps["lost"]["spec"]["destination"]["name"] = "atlantis"
    site.declare("late.yaml", *apps.values())
    words = {
        "blank": "the repository has no branch and no tag; push a first commit",
        "missing": r"missing\.git.*(not found|does not exist|404)",
        "lost": r"atlantis.*east",
    }
    for name, expected in words.items():
        status = site.until_status(site.app(name), lambda status: status.message)
        assert re.search(expected, status.message), status.message
        assert status.sync is SyncStatus.UNKNOWN
        assert status.health is HealthStatus.UNKNOWN


def test_three_hundred_objects_are_one_application_like_any_other(scene):
    site = scene.site
    commit = scene.shared.push({f"many/{number}.yaml": config_map(f"many-{number}") for number in range(MANY)})
    site.declare("many.yaml", site.argo("many", scene.shared.url, "many"))
    status = site.until_synced(site.app("many"), commit)
    assert status.operation is not None
    assert status.operation.message == f"{MANY} objects applied."
    code, listing = site.east.call("GET", f"/api/v1/namespaces/{site.space}/configmaps?limit=1000")
    assert code == 200
    assert sum(item["metadata"]["name"].startswith("many-") for item in listing["items"]) == MANY
