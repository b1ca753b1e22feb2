"""Hooks with real Jobs: what gates what, how a sync ends, and what is left of a hook's object."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gitops_workers.adapters.rendering import CHILDREN, CachedRenderer, TreeClosures
from gitops_workers.adapters.sandbox import Sandbox
from gitops_workers.core.health.argocd import HOOK_FINALIZER
from gitops_workers.core.model import Phase
from gitops_workers.core.objects import Manifest
from tests.integration.sync.yard import CONFIG_MAP, JOB, Yard, config_map, job
from tests.servers.rendering import KEY, tools
from tests.servers.sources import MemoryStore


def succeeded(live: Manifest | None) -> bool:
    return bool(live and live["status"].get("succeeded"))


def held(live: Manifest) -> bool:
    return HOOK_FINALIZER in live["metadata"].get("finalizers", ())


def jobs(yard: Yard) -> list[Manifest]:
    status, answer = yard.plane.call("GET", f"/apis/batch/v1/namespaces/{yard.space}/jobs")
    assert status == 200, answer
    return list(answer["items"])


def test_a_presync_job_gates_the_sync_and_goes_when_it_succeeded(yard: Yard) -> None:
    yard.adopt()
    yard.commit(job("migrate", "PreSync", "HookSucceeded", plays="hangs"), config_map("settings", v="1"))
    yard.until(lambda: yard.says("migrate") and yard.pods(app="migrate"), "the hook")
    assert yard.operation.phase is Phase.RUNNING
    assert yard.get(CONFIG_MAP, "settings") is None
    assert held(yard.there(JOB, "migrate"))

    yard.release(app="migrate")
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "settings")["data"] == {"v": "1"}
    yard.until(lambda: yard.get(JOB, "migrate") is None, "its deletion")
    assert yard.operation.message == "1 object applied, 1 hook run."


def test_a_job_that_fails_ends_the_sync_after_its_syncfail_hooks(yard: Yard) -> None:
    yard.adopt()
    yard.commit(
        job("migrate", "PreSync", plays="fails"),
        config_map("settings", v="1"),
        job("tell", "SyncFail"),
        job("x", "PostSync"),
    )
    status = yard.until_phase(Phase.FAILED)
    assert f"hook Job.batch {yard.space}/migrate failed: Job has reached the specified backoff limit" in str(
        status.operation
    )
    assert succeeded(yard.there(JOB, "tell"))
    assert yard.get(CONFIG_MAP, "settings") is None
    assert yard.get(JOB, "x") is None
    assert not any(map(held, jobs(yard))), "what stays for people to read is nobody's burden"

    yard.commit(job("migrate", "PreSync"), config_map("settings", v="2"), job("tell", "SyncFail"), job("x", "PostSync"))
    yard.until_synced()
    assert succeeded(yard.there(JOB, "x"))
    assert yard.there(CONFIG_MAP, "settings")["data"] == {"v": "2"}


def test_terminate_deletes_the_job_that_runs_and_keeps_the_one_that_is_done(yard: Yard) -> None:
    app = yard.adopt(automated=False)
    yard.commit(
        job("first", "PreSync", wave=0), job("second", "PreSync", plays="hangs", wave=1), config_map("settings", v="1")
    )
    yard.ask(app)
    yard.until(lambda: yard.pods(app="second"), "the second hook")
    asked = yard.ask(app, terminate=True)
    yard.until_phase(Phase.FAILED)
    ended = f"terminated by ann; deleted while running: Job.batch {yard.space}/second"
    assert yard.last_answer(app) == (asked, "Succeeded", ended)
    yard.until(lambda: not yard.pods(app="second"), "the end of its pod")
    assert [item["metadata"]["name"] for item in jobs(yard)] == ["first"]
    assert succeeded(yard.there(JOB, "first"))
    assert not held(yard.there(JOB, "first"))
    assert yard.get(CONFIG_MAP, "settings") is None


def test_a_job_whose_ttl_is_over_before_anybody_looks_has_told_its_end(yard: Yard) -> None:
    yard.adopt()
    yard.commit(job("migrate", "PreSync", ttlSecondsAfterFinished=1), config_map("settings", v="1"))
    yard.until(lambda: yard.get(JOB, "migrate"), "the hook")

    def expired() -> bool:  # looked at without a step: the engine is away
        return "deletionTimestamp" in yard.there(JOB, "migrate")["metadata"]

    while not expired():
        pass  # bounded by the test's timeout: the TTL is a second
    assert held(yard.there(JOB, "migrate"))
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "settings")
    yard.until(lambda: yard.get(JOB, "migrate") is None, "its deletion")


def test_each_commit_runs_the_hook_anew(yard: Yard) -> None:
    yard.adopt()
    yard.commit(job("migrate", "PreSync"), config_map("settings", v="1"))
    yard.until_synced()
    first = yard.there(JOB, "migrate")
    assert succeeded(first)

    yard.commit(job("migrate", "PreSync", image="registry.example/main:2"), config_map("settings", v="2"))
    yard.until_synced()
    second = yard.there(JOB, "migrate")
    assert succeeded(second)
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert [pod["spec"]["containers"][0]["image"] for pod in yard.pods(app="migrate")] == ["registry.example/main:2"]


def test_a_generated_name_is_a_new_job_each_time(yard: Yard) -> None:
    def generated() -> Manifest:
        made = job("migrate", "PreSync")
        made["metadata"]["generateName"] = made["metadata"].pop("name") + "-"
        return made

    yard.adopt()
    commits = []
    for value in ("1", "2"):
        commits.append(yard.commit(generated(), config_map("settings", v=value)))
        yard.until_synced()
    names = sorted(found["metadata"]["name"].rpartition("-")[0] for found in jobs(yard))
    assert names == sorted(f"migrate-{commit[:7]}-presync" for commit in commits)
    assert all(map(succeeded, jobs(yard)))


def test_a_new_commit_replaces_a_hook_that_never_ends(yard: Yard) -> None:
    yard.adopt()
    yard.commit(job("migrate", "PreSync", plays="hangs"), config_map("settings", v="1"))
    yard.until(lambda: yard.pods(app="migrate"), "the hook")
    stuck = yard.there(JOB, "migrate")

    yard.commit(job("migrate", "PreSync"), config_map("settings", v="2"))
    yard.until_synced()
    ended = yard.there(JOB, "migrate")
    assert ended["metadata"]["uid"] != stuck["metadata"]["uid"]
    assert succeeded(ended)
    assert yard.there(CONFIG_MAP, "settings")["data"] == {"v": "2"}


def test_a_hook_that_somebody_deletes_fails_the_sync_and_really_goes(yard: Yard) -> None:
    yard.adopt()
    yard.commit(job("migrate", "PreSync", plays="hangs"), config_map("settings", v="1"))
    yard.until(lambda: yard.pods(app="migrate"), "the hook")
    path = f"/apis/batch/v1/namespaces/{yard.space}/jobs/migrate?propagationPolicy=Background"
    assert yard.plane.call("DELETE", path)[0] == 200
    assert yard.there(JOB, "migrate")["metadata"]["deletionTimestamp"], "our finalizer holds it"

    status = yard.until_phase(Phase.FAILED)
    assert "was deleted while it ran" in str(status.operation)
    yard.until(lambda: yard.get(JOB, "migrate") is None, "its end")
    assert yard.get(CONFIG_MAP, "settings") is None


@pytest.fixture
def helm_yard(yard: Yard) -> Iterator[Yard]:
    """The yard with a real helm."""
    sandbox = Sandbox(tools(), renderers=CHILDREN)
    closures = TreeClosures(yard.sources, sandbox, yard.sources)
    yard.render_with(closures, CachedRenderer(yard.sources, closures, sandbox, MemoryStore(), tools=tools(), key=KEY))
    yield yard
    sandbox.close()


CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "values.yaml": "v: '1'\n",
    "templates/settings.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {v: {{ .Values.v | quote }}}
""",
}


def hook_template(name: str, when: str, weight: int = 0, policy: str = "before-hook-creation") -> str:
    return f"""\
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  annotations: {{helm.sh/hook: "{when}", helm.sh/hook-weight: "{weight}", helm.sh/hook-delete-policy: "{policy}"}}
spec:
  backoffLimit: 0
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{restartPolicy: Never, containers: [{{name: main, image: "registry.example/main:1"}}]}}
"""


def test_helms_hooks_run_in_the_order_of_their_weights(helm_yard: Yard) -> None:
    yard = helm_yard
    yard.adopt()
    chart = CHART | {
        "templates/a.yaml": hook_template("late", "pre-install,pre-upgrade", 5),
        "templates/b.yaml": hook_template("early", "pre-install,pre-upgrade", -5, "hook-succeeded"),
        "templates/c.yaml": hook_template("smoke", "test"),
        "templates/d.yaml": hook_template("after", "post-install"),
        "templates/e.yaml": hook_template("undo", "pre-rollback"),
    }
    yard.commit_files({f"web/{path}": text for path, text in chart.items()})
    yard.until(lambda: yard.get(JOB, "early"), "the first hook")
    assert yard.get(JOB, "late") is None
    yard.until(lambda: yard.get(JOB, "late"), "the second hook")
    assert yard.get(JOB, "early") is None or succeeded(yard.get(JOB, "early"))
    assert yard.get(CONFIG_MAP, "settings") is None
    yard.until_synced()
    assert yard.there(CONFIG_MAP, "settings")["data"] == {"v": "1"}
    yard.until(lambda: yard.get(JOB, "early") is None, "hook-succeeded")
    assert sorted(found["metadata"]["name"] for found in jobs(yard)) == ["after", "late"]
