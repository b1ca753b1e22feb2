"""`validate` and `substitute`, as authors and CI call them: real processes, no Redis, no cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source: {repoURL: "https://git.example.com/web.git", path: k8s}
  destination: {server: "https://kubernetes.default.svc", namespace: web}
"""
BAD = GOOD.replace("path: k8s", "path: 7").replace(
    "namespace: web}", "namespace: web}\n  syncPolicy: {automated: maybe}"
)


def run(*arguments: str | Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    return subprocess.run(
        [sys.executable, "-m", "gitops_workers.cli", *map(str, arguments)],
        input=stdin,
        env={**kept, "GITOPS_STATE": "/nonexistent/state", **variables},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_name_that_several_applications_of_the_files_have_is_not_rendered(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(f"{GOOD}---\n{GOOD.replace('namespace: argocd', 'namespace: team')}")
    done = run("render", tmp_path, "--app", "web")
    assert done.returncode == 2
    assert "write one of application/argocd/web, application/team/web" in done.stderr


def test_a_link_that_leads_nowhere_is_told_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(GOOD)
    (tmp_path / "api.yaml").symlink_to("nowhere.yaml")

    told = run("validate", tmp_path)

    assert told.returncode == 2
    assert f"{tmp_path}/api.yaml: cannot be read (No such file or directory)." in told.stderr


def test_a_problem_of_argocd_cm_names_its_file_once_beside_that_of_another_key(tmp_path: Path) -> None:
    place = tmp_path / "cm.yaml"
    place.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n"
        'data: {resource.exclusions: "- foo", resource.customizations: "["}\n'
    )

    told = run("validate", place)

    assert told.returncode == 2
    assert "resource.customizations" in told.stdout
    assert told.stdout.count("data['resource.exclusions']: found no list of mappings") == 1
    assert all(line.count(str(place)) == 1 for line in told.stdout.splitlines() if "cm.yaml" in line)


def test_a_valid_file_exits_with_0_and_prints_no_problem(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(GOOD)
    done = run("validate", tmp_path / "web.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 file, 0 errors" in done.stderr


def test_every_problem_of_every_file_is_named_with_line_and_field(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BAD)
    (tmp_path / "b.yaml").write_text("kind: [\n")
    done = run("validate", tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert done.returncode == 2
    places = [line.split(": ")[0].removeprefix(f"{tmp_path}/") for line in done.stdout.splitlines()]
    assert "a.yaml:5" in places
    assert "a.yaml:7" in places
    assert any(place.startswith("b.yaml:") for place in places)
    assert "spec.syncPolicy.automated" in done.stdout


def test_problems_are_data_for_programs(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(BAD)
    done = run("validate", "-o", "json", tmp_path)
    assert done.returncode == 2
    found = json.loads(done.stdout)
    assert {item["severity"] for item in found} == {"error"}
    assert {item["line"] for item in found} == {5, 7}


@pytest.mark.parametrize("name", ["missing.yaml", "empty"])
def test_what_cannot_be_read_is_invalid_input(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    done = run("validate", tmp_path / name)
    assert done.returncode == 2
    assert name in done.stderr


def test_standard_input_is_a_file_too() -> None:
    done = run("validate", "-", stdin=BAD)
    assert done.returncode == 2
    assert "<stdin>:5" in done.stdout


@pytest.mark.parametrize(
    "variables",
    ["NAME=east\nexport COUNT='3'\n# no\n\n", "NAME: east\nCOUNT: 3\n", '{"NAME": "east", "COUNT": 3}'],
    ids=["env", "yaml", "json"],
)
def test_variables_come_from_any_usual_file(tmp_path: Path, variables: str) -> None:
    (tmp_path / "vars").write_text(variables)
    done = run("substitute", "--vars", tmp_path / "vars", stdin="a: ${NAME}\nb: ${COUNT:=1}\nc: ${NONE:=d} $${NAME}\n")
    assert (done.returncode, done.stdout) == (0, "a: east\nb: 3\nc: d ${NAME}\n")


def test_variables_come_from_a_config_map_as_flux_reads_it(tmp_path: Path) -> None:
    (tmp_path / "vars.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {NAME: east}\n")
    done = run("substitute", "--vars", tmp_path / "vars.yaml", stdin="${NAME^^}")
    assert (done.returncode, done.stdout) == (0, "EAST")


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--strict",), 1)])
def test_an_unset_variable_is_an_error_only_when_asked(tmp_path: Path, options: tuple[str, ...], code: int) -> None:
    (tmp_path / "vars").write_text("A=1\n")
    done = run("substitute", "--vars", tmp_path / "vars", *options, stdin="x${NONE}y")
    assert done.returncode == code
    assert done.stdout == ("" if code else "xy")
    assert ("NONE" in done.stderr) is bool(code)


def test_a_list_is_no_variables(tmp_path: Path) -> None:
    (tmp_path / "vars.yaml").write_text("- a\n")
    assert run("substitute", "--vars", tmp_path / "vars.yaml").returncode == 2


def test_an_unknown_setting_is_bad_usage() -> None:
    done = run("app", "list", GITOPS_REDIS_ULR="redis://x")
    assert done.returncode == 2
    assert "GITOPS_REDIS_ULR" in done.stderr


def test_where_nothing_runs_it_says_what_to_do(tmp_path: Path) -> None:
    done = run("app", "list", GITOPS_STATE=str(tmp_path))
    assert done.returncode == 1
    assert "gitops-workers up" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("version",), ("--help",), ("app", "sync", "--help"), ("up", "--help")])
def test_what_needs_no_engine_imports_no_engine(arguments: tuple[str, ...]) -> None:
    script = (
        "import sys\nfrom gitops_workers.cli import main\n"
        f"try:\n    main({list(arguments)!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'kubernetes', 'celery', 'fastapi', 'flower', 'redis', 'git', 'rich'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("app", "list", "--sort", "colour"), ("app", "list", "-o", "xml")]
)
def test_bad_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).returncode == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Application\nmetadata: {name: a}\n", "for kind Application write argoproj.io/v1alpha1"),
        ("apiVersion: argoproj/v1alpha1\nkind: AppProject\n", "for kind AppProject write argoproj.io/v1alpha1"),
        ("kind: Kustomization\nmetadata: {name: a}\n", "for kind Kustomization write kustomize.toolkit.fluxcd.io/v1"),
        ("kind: GitRepository\n", "for kind GitRepository write source.toolkit.fluxcd.io/v1"),
        ("apiVersion: argoproj.io/v1alpha1\nmetadata: {name: a}\n", "kind: it is missing"),
    ],
)
def test_a_manifest_that_names_half_of_what_it_is_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    done = run("validate", tmp_path / "a.yaml")
    assert done.returncode == 2
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: app.k8s.io/v1beta1\nkind: Application\nmetadata: {name: a}\n",
        "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: a}\n",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
    ],
)
def test_another_product_s_kind_of_the_same_name_is_none_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert run("validate", tmp_path / "a.yaml").returncode == 0
