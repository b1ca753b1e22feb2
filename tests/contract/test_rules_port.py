"""Users' rules, in this process and in the sandbox: the same answers, and nothing that a rule does gets out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gitops_workers.adapters.sandbox import Sandbox, SandboxLimits
from gitops_workers.adapters.user_rules import REST, UserRules
from gitops_workers.core.errors import InvalidManifest, Refused, Retry
from gitops_workers.core.model import Dialect, Health, HealthExpressions, HealthStatus, IgnoreRule
from gitops_workers.core.settings.customizations import Customizations, HealthScript
from gitops_workers.core.sync.dependencies import Dependency
from gitops_workers.pipeline.context import BuiltInRules
from gitops_workers.sandbox_protocol.frames import Runner
from tests.servers.rules import InProcess
from tests.unit.core.making import application, manifest

ARGOCD = application(Dialect.ARGOCD)
FLUX = application(Dialect.FLUX)
THING = manifest("Thing", "web", "example.com/v1", "shop", status={"phase": "Ready", "count": 3})
EVERYTHING = IgnoreRule(pointers=("/spec",))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    limits = SandboxLimits(seconds=1.0, memory=256 << 20, grace=0.25)
    made = Sandbox({}, children=1, limits=limits, program="rules")
    yield made
    made.close()


@pytest.fixture(params=["in-process", "sandbox"])
def runner(request: pytest.FixtureRequest) -> Runner:
    return InProcess() if request.param == "in-process" else request.getfixturevalue("sandbox")


def scripted(runner: Runner, script: str, kind: str = "example.com/Thing") -> UserRules:
    return UserRules(runner, Customizations((HealthScript(kind, script),), (EVERYTHING,)))


def test_a_script_of_the_installation_decides(runner: Runner):
    rules = scripted(runner, "return {status = 'Degraded', message = obj.status.phase .. obj.status.count}")

    assert rules.health(ARGOCD, THING) == Health(HealthStatus.DEGRADED, "Ready3")


CONTINUES = """
for _, name in ipairs({"a", "phase"}) do
  if obj.status[name] == nil then goto continue end
  do return {status = "Degraded", message = name} end
  ::continue::
end
"""


def test_a_script_may_jump_as_gopher_lua_allows(runner: Runner):
    assert scripted(runner, CONTINUES).health(ARGOCD, THING) == Health(HealthStatus.DEGRADED, "phase")


def test_a_script_has_none_of_the_compilers_own_libraries(runner: Runner):
    names = "jit ffi bit debug io package require load loadstring dofile collectgarbage coroutine newproxy"
    checks = "\n".join(f"if {name} then found = found .. '{name} ' end" for name in names.split())
    script = f"local found = ''\n{checks}\nreturn {{status = 'Healthy', message = found}}"
    found = scripted(runner, script).health(ARGOCD, THING)
    assert found == Health(HealthStatus.HEALTHY)


def test_a_script_stands_before_the_built_in_rule_and_nil_means_no_health(runner: Runner):
    service = manifest("Service", "web", namespace="shop", spec={"type": "ClusterIP"})

    assert UserRules(runner).health(ARGOCD, service) == Health(HealthStatus.HEALTHY)
    assert scripted(runner, "return nil", "Service").health(ARGOCD, service) is None


def test_a_script_that_fails_makes_the_object_unknown_with_the_reason(runner: Runner):
    found = scripted(runner, "return obj.spec.replicas.x").health(ARGOCD, THING)

    assert found is not None
    assert found.status is HealthStatus.UNKNOWN
    assert "health.lua of example.com/Thing: 1: attempt to index" in found.message


def test_flux_does_not_know_argocds_scripts(runner: Runner):
    rules = scripted(runner, "return {status = 'Degraded'}")

    assert rules.health(FLUX, THING) == Health(HealthStatus.CURRENT, "Resource is current")
    assert rules.ignored(FLUX) == ()
    assert rules.ignored(ARGOCD) == (EVERYTHING,)


@pytest.mark.parametrize(
    ("rule", "health"),
    [
        (HealthExpressions("example.com", "Thing", "status.phase == 'Ready'"), HealthStatus.CURRENT),
        (
            HealthExpressions("example.com", "", "status.phase == 'Ready'", failed="status.count > 2"),
            HealthStatus.FAILED,
        ),
        (HealthExpressions("example.com", "Thing", "status.phase == 'Up'"), HealthStatus.IN_PROGRESS),
        (HealthExpressions("example.com", "Thing", "status.absent == 'Up'"), HealthStatus.UNKNOWN),
        (HealthExpressions("other.com", "Thing", "false"), HealthStatus.CURRENT),
    ],
)
def test_expressions_of_a_kustomization(runner: Runner, rule: HealthExpressions, health: HealthStatus):
    found = UserRules(runner).health(replace(FLUX, health_rules=(rule,)), THING)

    assert found is not None
    assert found.status is health


def test_an_expression_that_cannot_be_read_is_refused_before_anything_is_done(runner: Runner):
    broken = replace(FLUX, health_rules=(HealthExpressions("example.com", "Thing", "status.phase =="),))

    with pytest.raises(InvalidManifest, match=r"healthCheckExprs of Thing.example.com: 'status.phase ==' is no cel"):
        UserRules(runner).check(broken)

    UserRules(runner).check(replace(FLUX, health_rules=(HealthExpressions("example.com", "Thing", "status.phase"),)))
    with pytest.raises(InvalidManifest, match=r"jqPathExpressions: '.spec\[' is no jq expression"):
        UserRules(runner).check(replace(ARGOCD, ignore=(IgnoreRule(jq=(".spec[",)),)))


DEP = {"dep": {"status": {"ready": True}, "metadata": {}}, "self": {"metadata": {"name": "web"}}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [("dep.status.ready && self.metadata.name == 'web'", True), ("self.metadata.name == 'db'", False)],
)
def test_a_condition_over_two_objects(runner: Runner, expression: str, holds: bool):
    assert UserRules(runner).holds(expression, DEP) is holds


@pytest.mark.parametrize("expression", ["dep.metadata.labels.app == 'x'", "dep.status", "dep.status.ready &&"])
def test_a_condition_that_cannot_be_evaluated_is_refused(runner: Runner, expression: str):
    with pytest.raises(Refused, match=r"^readyExpr: "):
        UserRules(runner).holds(expression, DEP)


def test_a_condition_that_cannot_be_read_is_refused_before_anything_is_done(runner: Runner):
    broken = replace(FLUX, depends_on=(Dependency("kustomization/flux-system/db", ready="dep.status =="),))

    with pytest.raises(InvalidManifest, match=r"readyExpr of spec.dependsOn kustomization/flux-system/db: 'dep.status"):
        UserRules(runner).check(broken)


def test_without_a_sandbox_no_condition_holds():
    with pytest.raises(Retry, match="cannot run CEL"):
        BuiltInRules().holds("true", {})


def test_the_places_that_jq_means(runner: Runner):
    found = UserRules(runner).paths((".status.phase", ".spec.absent[].x"), [THING, {"kind": "Empty"}])

    assert list(found) == [(("status", "phase"),), (("status", "phase"),)]


LOOPS = "while true do end"
BACKTRACKS = "return {status = ('x'):rep(1e6):find(('.*'):rep(30) .. 'y')}"


@pytest.mark.parametrize("script", [LOOPS, BACKTRACKS])
def test_a_script_that_has_to_be_stopped_is_unknown_and_rests(sandbox: Sandbox, script: str):
    now = [0.0]
    counting = Counting(sandbox)
    custom = Customizations((HealthScript("example.com/Thing", script, open_libs=True),))
    rules = UserRules(counting, custom, seconds=0.3, clock=lambda: now[0])

    first = rules.health(ARGOCD, THING)
    again = [rules.health(ARGOCD, THING) for _ in range(100)]

    assert first is not None
    assert first.status is HealthStatus.UNKNOWN
    assert {item.status for item in again if item} == {HealthStatus.UNKNOWN}
    assert counting.jobs == 1
    now[0] = REST + 1
    rules.health(ARGOCD, THING)
    assert counting.jobs == 2


def test_a_jq_expression_that_loops_is_refused_and_the_next_rule_works(sandbox: Sandbox):
    rules = UserRules(sandbox, seconds=0.3)

    with pytest.raises(Refused, match=r"jqPathExpressions for Thing.example.com shop/web"):
        rules.paths(("def loop: loop; loop",), [THING])

    assert list(rules.paths((".status",), [THING])) == [(("status",),)]


class Counting:
    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.jobs = 0

    def run(self, *arguments, **options):
        self.jobs += 1
        return self.runner.run(*arguments, **options)


def test_argo_cd_applications_wait_until_the_rules_of_the_installation_are_known():
    rules = UserRules(InProcess())
    rules.doubt("secrets: ConfigMap argocd/argocd-cm may stand in a.yaml:1: no YAML")

    with pytest.raises(Retry, match=r"a\.yaml:1: no YAML: without its rules .* nothing is synced"):
        rules.check(ARGOCD)
    rules.check(FLUX)
    rules.configure(Customizations())
    rules.check(ARGOCD)
