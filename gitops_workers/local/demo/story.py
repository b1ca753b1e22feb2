"""The story: each step says what a person does, waits for what must follow, and proves it at the API servers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from gitops_workers.local.demo.objects import (
    available,
    condition,
    created,
    ended,
    identity,
    image,
    replica_count,
    rolled_out,
)
from gitops_workers.local.demo.scene import DidNotHappen, Json, Scene
from gitops_workers.local.processes import environment

FIRST = (
    ("east", "shop-dev", "shop"),
    ("east", "shop-staging", "shop"),
    ("east", "payments-dev", "payments"),
    ("east", "payments-staging", "payments"),
    ("east", "payments-prod", "payments"),
    ("east", "platform-system", "ingress"),
    ("east", "team-alpha", "alpha-api"),
    ("east", "team-beta", "beta-api"),
    ("east", "monitoring", "monitoring"),
    ("west", "monitoring", "monitoring"),
    ("west", "search-dev", "search"),
    ("west", "search-prod", "search"),
)
"""Cluster, namespace and name of the Deployment that each automated application brings."""

UNTOUCHED_SECONDS = 3.0
"""How long a refused commit is watched to change nothing."""


def first_sync(scene: Scene) -> None:
    """Everything that syncs by itself is there and runs."""
    missing = list(FIRST)

    def all_there() -> bool:
        for place in list(missing):
            if available(scene.deployment(*place)):
                missing.remove(place)
                scene.say(f"      {place[0]}: {place[1]}/{place[2]} runs ({len(FIRST) - len(missing)} of {len(FIRST)})")
        return not missing

    scene.until(f"{len(FIRST)} applications are applied to two clusters and their pods run", all_there)
    if scene.deployment("west", "shop-prod", "shop") is not None:
        raise DidNotHappen("shop-prod has no automated sync and was applied all the same")
    scene.say("   ok shop-prod waits for a person: its manifest has no automated sync")


def manual_sync(scene: Scene) -> None:
    """Production is gated: a person syncs it."""
    command = (sys.executable, "-m", "gitops_workers.cli", "app", "sync", "shop-prod", "--wait", "--timeout", "60")
    scene.say("   $  gitops-workers app sync shop-prod --wait")
    done = subprocess.run(
        command, env=environment(scene.stack.settings, os.environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DidNotHappen(f"the command failed: {done.stderr.strip() or done.stdout.strip()}")
    scene.until("5 replicas of shop run in west", lambda: available(scene.deployment("west", "shop-prod", "shop"), 5))


def webhook(scene: Scene) -> None:
    """A pushed commit is applied because the Git server says so, not because somebody polled."""
    scene.say("   $  git commit -m 'Deploy shop 2.3.0 to dev' && git push")
    commit = scene.repositories["shop"].edit(
        "Deploy shop 2.3.0 to dev", {"k8s/overlays/dev/kustomization.yaml": ("2.2.0", "2.3.0")}
    )
    staging = identity(scene.deployment("east", "shop-staging", "shop"))
    scene.push_event("shop", "refs/heads/main", commit)
    scene.until(
        "shop-dev runs the image 2.3.0",
        lambda: image(scene.deployment("east", "shop-dev", "shop")).endswith(":2.3.0"),
    )
    if identity(scene.deployment("east", "shop-staging", "shop")) != staging:
        raise DidNotHappen("shop-staging was touched by a commit that changes only dev's files")
    scene.say("   ok shop-staging, in the same repository, was not touched: the commit changed none of its files")


def promotion(scene: Scene) -> None:
    """Production follows the newest prod-* tag."""
    repository = scene.repositories["search-config"]
    scene.say("   $  git commit -m 'Search 7.1.0' && git push && git tag prod-2026.11 && git push --tags")
    repository.edit("Search 7.1.0", {"k8s/prod/deployment.yaml": ("7.0.0", "7.1.0")})
    # A tag is newer than another by its date, which counts whole seconds.
    time.sleep(1.0)
    commit = repository.tag("prod-2026.11")
    scene.push_event("search-config", "refs/tags/prod-2026.11", commit)
    scene.until(
        "search-prod runs what the tag prod-2026.11 holds",
        lambda: image(scene.deployment("west", "search-prod", "search")).endswith(":7.1.0"),
    )


def release(scene: Scene) -> None:
    """A hook runs first, then wave after wave: a new kind, the program, and the first resource of the kind."""
    scene.say("   $  git commit -m 'Search 7.2.0: rebuild the index, describe it by a resource' && git push")
    commit = scene.repositories["search-config"].bring(
        "Search 7.2.0: rebuild the index, describe it by a resource",
        "search-7.2",
        "k8s/dev",
        {"k8s/dev/deployment.yaml": ("7.0.0", "7.2.0")},
    )
    scene.push_event("search-config", "refs/heads/main", commit)
    scene.until("PreSync: the Job rebuild-index has run to its end", lambda: ended(_rebuild(scene)) != "")
    scene.until("wave -1: the cluster serves the new kind SearchIndex", lambda: bool(_index_kind(scene)))
    scene.until("wave 0:  search-dev runs the image 7.2.0", lambda: rolled_out(_search(scene), "7.2.0") != "")
    scene.until("wave 1:  the SearchIndex products is there", lambda: _products(scene) is not None)
    times = (
        ("the Job began", created(_rebuild(scene))),
        ("the Job ended", ended(_rebuild(scene))),
        ("the kind was created", created(_index_kind(scene))),
        ("the pods of 7.2.0 were ready", rolled_out(_search(scene), "7.2.0")),
        ("its first resource was created", created(_products(scene))),
    )
    for what, at in times:
        scene.say(f"      {at[11:19]}  {what}")
    if [at for _, at in times] != sorted(at for _, at in times):
        raise DidNotHappen("something came before what it had to wait for")
    scene.say("   ok by the cluster's own clock each came after the one before it")


def drift(scene: Scene) -> None:
    """What somebody changes by hand is put back."""
    path = "/apis/apps/v1/namespaces/payments-prod/deployments/payments"
    scene.say("   $  kubectl -n payments-prod scale deployment payments --replicas=0      (by hand, past Git)")
    scene.change("east", path, {"spec": {"replicas": 0}})
    if replica_count(scene.read("east", path)) != 0:
        raise DidNotHappen("the hand-made change did not arrive")
    scene.until("payments-prod has its 2 replicas again", lambda: available(scene.read("east", path), 2))


def prune(scene: Scene) -> None:
    """What leaves Git leaves the cluster, and nothing else does."""
    scene.say("   $  git rm k8s/legacy-export.yaml && git commit && git push      (branch dev)")
    commit = scene.repositories["payments-config"].remove("Drop the CSV export", "k8s/legacy-export.yaml", "dev")
    ledger = identity(scene.config("east", "payments-dev", "ledger"))
    if scene.config("east", "payments-dev", "legacy-export") is None:
        raise DidNotHappen("legacy-export was not there before it was removed")
    scene.push_event("payments-config", "refs/heads/dev", commit)
    scene.until(
        "legacy-export is gone from payments-dev", lambda: scene.config("east", "payments-dev", "legacy-export") is None
    )
    others = ("payments-staging", "payments-prod")
    kept = all(scene.config("east", namespace, "legacy-export") is not None for namespace in others)
    if not kept or identity(scene.config("east", "payments-dev", "ledger")) != ledger:
        raise DidNotHappen("something else than the removed object was deleted or changed")
    scene.say("   ok everything else in payments-dev, staging and prod is still there, the same objects as before")


def broken_commit(scene: Scene) -> None:
    """A commit that cannot be rendered for one tenant changes nothing of it, and holds nobody else up."""
    app = "kustomization/flux-system/team-alpha"
    before = _alpha(scene)
    scene.say(
        "   $  git commit -m 'A cache for alpha, 3 replicas for beta' && git push      (the cache's file was forgotten)"
    )
    commit = scene.repositories["platform-config"].edit(
        "A cache for alpha, 3 replicas for beta",
        {
            "tenants/team-alpha/base/kustomization.yaml": ("  - service.yaml\n", "  - service.yaml\n  - cache.yaml\n"),
            "tenants/team-beta/overlays/east/replicas-patch.yaml": ("replicas: 2", "replicas: 3"),
        },
    )
    scene.push_event("platform-config", "refs/heads/main", commit)
    scene.until(
        "the engine refuses the commit for team-alpha and says why", lambda: "cache.yaml" in _complaint(scene, app)
    )
    scene.say(f"      team-alpha: {_complaint(scene, app)}")
    scene.until("team-beta, in the same commit, has its 3 replicas", lambda: available(_beta(scene), 3))
    watched = time.monotonic() + UNTOUCHED_SECONDS
    while time.monotonic() < watched:
        if _alpha(scene) != before:
            raise DidNotHappen("objects of team-alpha changed although the commit cannot be rendered")
        time.sleep(0.2)
    scene.say("   ok every object of team-alpha is exactly what it was")


def revert(scene: Scene) -> None:
    """A revert is a rollback."""
    app = "kustomization/flux-system/team-alpha"
    before = _alpha(scene)
    scene.say("   $  git revert HEAD && git push")
    commit = scene.repositories["platform-config"].revert()
    scene.push_event("platform-config", "refs/heads/main", commit)
    scene.until("team-beta has its 2 replicas again", lambda: available(_beta(scene), 2))
    scene.until(
        "team-alpha is in sync again, at the reverting commit",
        lambda: scene.status(app).sync == "Synced" and scene.status(app).revision == commit,
    )
    if _alpha(scene) != before:
        raise DidNotHappen("the revert brought back the old state, yet objects of team-alpha changed")
    scene.say("   ok and nothing had to be written for team-alpha: the cluster had never left that state")


STEPS: Sequence[tuple[str, Callable[[Scene], None]]] = (
    ("The first sync of every application", first_sync),
    ("A person syncs production by hand", manual_sync),
    ("A commit is pushed, and a signed webhook says so", webhook),
    ("A tag promotes search to production", promotion),
    ("A release runs a hook first, then wave after wave", release),
    ("Somebody changes a cluster by hand", drift),
    ("A file is removed from Git", prune),
    ("Somebody pushes a broken commit", broken_commit),
    ("The broken commit is reverted", revert),
)


WELL = frozenset({"Healthy", "Current"})


def _pages(scene: Scene) -> None:
    """What a person opens next is really there."""
    running = scene.stack
    scene.until("every application is in sync and healthy", lambda: _all_well(scene))
    scene.until(
        "Flower's Applications page shows shop-prod",
        lambda: "shop-prod" in scene.page(running.console, "/applications"),
    )
    scene.until("the API lists shop-prod", lambda: "shop-prod" in scene.page(running.web, "/api/v1/applications"))


def tell(scene: Scene) -> None:
    """All steps in order. Raises DidNotHappen at the first that is not so."""
    for number, (title, step) in enumerate(STEPS, 1):
        scene.say("")
        scene.say(f"{number}. {title}")
        step(scene)
    scene.say("")
    _pages(scene)


def _all_well(scene: Scene) -> bool:
    rows = [scene.status(app) for app in scene.state.applications()]
    return all(row.sync == "Synced" and row.health in WELL for row in rows)


def _rebuild(scene: Scene) -> Json | None:
    return scene.read("west", "/apis/batch/v1/namespaces/search-dev/jobs/rebuild-index")


def _index_kind(scene: Scene) -> Json | None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/searchindexes.search.example.com"
    found = scene.read("west", path)
    return found if condition(found, "Established").get("status") == "True" else None


def _search(scene: Scene) -> Json | None:
    return scene.deployment("west", "search-dev", "search")


def _products(scene: Scene) -> Json | None:
    return scene.read("west", "/apis/search.example.com/v1/namespaces/search-dev/searchindexes/products")


def _beta(scene: Scene) -> Json | None:
    return scene.deployment("east", "team-beta", "beta-api")


def _alpha(scene: Scene) -> list[tuple[str, str]]:
    """Identity and specification of team-alpha's objects: what a sync would change."""
    found = [
        scene.deployment("east", "team-alpha", "alpha-api"),
        scene.read("east", "/api/v1/namespaces/team-alpha/services/alpha-api"),
        scene.read("east", "/api/v1/namespaces/team-alpha"),
    ]
    if None in found:
        raise DidNotHappen("an object of team-alpha is missing")
    return [identity(item) for item in found]


def _complaint(scene: Scene, app: str) -> str:
    return " ".join(scene.status(app).message.split())
