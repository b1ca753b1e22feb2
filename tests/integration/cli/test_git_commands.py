"""`repo resolve` and `render` against a real Git server, without Redis and without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gitops_workers import toolchain
from gitops_workers.core.errors import Refused
from gitops_workers.core.model import (
    Application,
    Destination,
    Dialect,
    RevisionKind,
    RevisionSpec,
    Schedule,
    SourceSpec,
)
from gitops_workers.core.render.render_spec import RenderSpec, SecretRef, Substitution
from gitops_workers.core.status.rows import Status
from gitops_workers.core.sync.sync_policy import SyncPolicy
from gitops_workers.local.demo.repositories import git
from gitops_workers.local.git_server import git_server
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_state
from tests.conftest import missing

ROOT = Path(__file__).parents[3]
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {size: '1'}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\ndata: {password: aHVudGVyMg==}\n"
KUSTOMIZATION = "namePrefix: my-\nresources: [web.yaml]\n"


@dataclass(frozen=True, slots=True)
class Repository:
    """A served repository: commits by branch or tag name."""

    url: str
    commits: dict[str, str]


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """main, dev, v1.2.0, v1.10.0, prod-1, prod-2; a folder `plain` and a folder `kustom`."""
    work, root = tmp_path / "work", tmp_path / "git"
    for folder in ("plain", "kustom"):
        (work / folder).mkdir(parents=True)
        (work / folder / "web.yaml").write_text(CONFIG)
    (work / "kustom" / "kustomization.yaml").write_text(KUSTOMIZATION)
    (work / "hidden").mkdir()
    (work / "hidden" / "web.yaml").write_text(CONFIG.replace("'1'", "'${SIZE}'"))
    (work / "hidden" / "secret.yaml").write_text(SECRET)
    git(work, "init", "-q", "-b", "main")
    git(work, "config", "user.name", "Ada Operator")
    git(work, "config", "user.email", "ada@example.com")
    commits = {}
    for number, name in enumerate(("v1.2.0", "v1.10.0", "prod-1", "prod-2", "dev", "main")):
        (work / "plain" / "web.yaml").write_text(CONFIG.replace("'1'", f"'{number}'"))
        git(work, "add", "-A")
        git(work, "commit", "-q", "-m", name, f"--date=2026-11-0{number + 1}T00:00:00Z")
        commits[name] = git(work, "rev-parse", "HEAD")
        if name == "dev":
            git(work, "branch", "dev")
        elif name != "main":
            git(work, "tag", name)
    git(work, "clone", "-q", "--bare", str(work), str(root / "web.git"))
    with git_server(root) as server:
        yield Repository(server.url("web.git"), commits)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    given = {"GITOPS_STATE": str(tmp_path / "state"), "GITOPS_GIT_SCHEMES": "https,http"}

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gitops_workers.cli", *arguments],
            cwd=ROOT,
            env={**kept, **given, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return call


@pytest.mark.parametrize(
    ("revision", "options", "means"),
    [
        ("main", (), "main"),
        ("HEAD", (), "main"),
        ("dev", (), "dev"),
        ("v1.2.0", (), "v1.2.0"),
        ("1.x", (), "v1.10.0"),
        ("prod-*", (), "prod-2"),
        ("refs/tags/prod-1", (), "prod-1"),
        (">=1.0.0 <1.5.0", ("--as", "semver"), "v1.2.0"),
        ("dev", ("--as", "branch"), "dev"),
    ],
)
def test_a_revision_is_the_commit_that_git_has(repository, run, revision, options, means) -> None:
    done = run("repo", "resolve", repository.url, revision, *options, "-o", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == {"commit", "ref"}
    assert found["commit"] == repository.commits[means]


def test_a_full_commit_means_itself_without_asking_anybody(run) -> None:
    commit = "ab" * 20
    done = run("repo", "resolve", "https://127.0.0.1:1/none.git", commit, "-o", "json")
    assert json.loads(done.stdout)["commit"] == commit


def test_what_is_not_there_fails_and_is_named(repository, run) -> None:
    done = run("repo", "resolve", repository.url, "mian")
    assert done.returncode == 1
    assert "mian" in done.stderr
    assert "main" in done.stderr


def test_a_scheme_that_is_not_allowed_says_which_are(repository, run) -> None:
    done = run("repo", "resolve", repository.url, "main", GITOPS_GIT_SCHEMES="https,ssh")
    assert done.returncode == 1
    assert "https" in done.stderr


def application(repository: Repository, path: str, name: str = "web") -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
        f"metadata: {{name: {name}, namespace: argocd}}\nspec:\n"
        f"  source: {{repoURL: '{repository.url}', path: {path}, targetRevision: main}}\n"
        "  destination: {name: east, namespace: web}\n"
    )


def test_a_file_renders_to_what_git_holds(repository, run, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(application(repository, "plain"))
    done = run("render", str(tmp_path / "app.yaml"))
    assert done.returncode == 0, done.stderr
    [found] = yaml.safe_load_all(done.stdout)
    assert (found["metadata"]["name"], found["data"]) == ("web", {"size": "5"})


def test_kustomize_is_run_where_a_kustomization_is(repository, run, tmp_path: Path) -> None:
    try:
        toolchain.tool("kustomize")
    except Refused as reason:
        missing(reason)
    (tmp_path / "app.yaml").write_text(application(repository, "kustom"))
    done = run("render", str(tmp_path / "app.yaml"))
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["metadata"]["name"] == "my-web"


def test_the_settings_of_an_argocd_cm_count_in_a_render(repository, run, tmp_path: Path) -> None:
    settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm, namespace: argocd}\n"
    settings += "data: {kustomize.buildOptions: --reorder legacy}\n"
    (tmp_path / "app.yaml").write_text(application(repository, "kustom") + f"---\n{settings}")

    done = run("render", str(tmp_path / "app.yaml"))

    assert done.returncode != 0
    assert "argocd-cm: kustomize.buildOptions is not done here" in done.stderr


def test_several_applications_render_together_or_one_by_name(repository, run, tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(application(repository, "plain", "a") + "---\n" + application(repository, "plain", "b"))
    assert len(list(yaml.safe_load_all(run("render", str(file)).stdout))) == 2
    assert len(list(yaml.safe_load_all(run("render", str(file), "--app", "b").stdout))) == 1
    assert run("render", str(file), "--app", "c").returncode == 2


def test_a_path_that_is_not_there_fails_with_its_name(repository, run, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text(application(repository, "plane"))
    done = run("render", str(tmp_path / "app.yaml"))
    assert done.returncode == 1
    assert "plane" in done.stderr


def test_invalid_manifests_are_not_rendered(run, tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n")
    done = run("render", str(tmp_path / "app.yaml"))
    assert done.returncode == 2
    assert "app.yaml:" in done.stderr


def test_a_running_application_renders_at_its_commit_with_config_maps_of_the_catalogue_and_secrets_masked(
    repository, run, redis_url, tmp_path: Path
) -> None:
    catalogue = tmp_path / "catalogue"
    catalogue.mkdir()
    (catalogue / "vars.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {SIZE: big}\n")
    substitution = Substitution(sources=(SecretRef("ConfigMap", "flux-system", "vars"),))
    app = Application(
        "kustomization/flux-system/web",
        Dialect.FLUX,
        SourceSpec(repository.url, RevisionSpec(RevisionKind.BRANCH, "main"), "hidden"),
        RenderSpec(substitution=substitution),
        Destination("east"),
        SyncPolicy(),
        Schedule(60, 0, 60),
    )
    settings = Settings(redis_url=redis_url, cache_key="5a" * 32)
    state = open_state(settings)
    state.save_applications([app])
    row = Status(
        app.id, "flux", "", "east", "", repository.url, "hidden", revision=repository.commits["main"], ref="main"
    )
    state.save_status(row)
    given = {"GITOPS_REDIS_URL": redis_url, "GITOPS_CACHE_KEY": "5a" * 32, "GITOPS_CATALOGUE": str(catalogue)}
    done = run("app", "manifests", "web", **given)
    assert done.returncode == 0, done.stderr
    found = {item["kind"]: item for item in yaml.safe_load_all(done.stdout)}
    assert found["ConfigMap"]["data"] == {"size": "big"}
    assert "aHVudGVyMg" not in done.stdout
    assert "hunter2" not in done.stdout
    assert found["Secret"]["data"].keys() == {"password"}
