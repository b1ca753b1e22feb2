"""The wheel alone, installed where no source is: every command works, and nothing is written into the installation."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from gitops_workers import toolchain
from gitops_workers.core.errors import Refused
from tests.conftest import missing

ROOT = Path(__file__).parents[2]
SOURCES = ("gitops_workers", "scheduler", "pyproject.toml", "requirements.in", "README.md", "LICENSE")

pytestmark = pytest.mark.timeout(400)


class Installed:
    """A virtual environment with the wheel in it, and a folder to work in."""

    def __init__(self, home: Path, work: Path) -> None:
        self.bin = home / "bin"
        self.packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(home)}))
        self.work = work
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITOPS_", "PYTHON"))}
        # Compiled modules are the interpreter's own business.
        self.environment = {**kept, "PYTHONDONTWRITEBYTECODE": "1", "GITOPS_STATE": str(work / "state")}

    def files(self) -> dict[str, int]:
        """Every file of the installation with its time of change."""
        found = (path for path in self.packages.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path): path.stat().st_mtime_ns for path in found}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.bin / "gitops-workers"), *arguments],
            cwd=self.work,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        with self.start(*arguments) as run:
            out, _ = run.communicate(timeout=300)
        assert "Traceback" not in out, out
        return run.returncode, out

    def until(self, text: str, *arguments: str) -> str:
        """Run a command until it has printed this, and end it as Ctrl-C does; all that it has printed."""
        with self.start(*arguments) as run:
            assert run.stdout is not None
            lines = []
            for line in run.stdout:
                lines.append(line)
                if text in line:
                    run.send_signal(signal.SIGINT)
            code = run.wait(60)
        shown = "".join(lines)
        assert text in shown, shown
        assert "Traceback" not in shown, shown
        assert code in (0, 130), shown
        return shown


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        leave = shutil.ignore_patterns("__pycache__")
        path = ROOT / name
        (shutil.copytree(path, source / name, ignore=leave) if path.is_dir() else shutil.copy(path, source / name))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    built = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(built, check=True, cwd=folder)
    shutil.rmtree(source)
    home = folder / "home"
    venv.create(home, with_pip=False, symlinks=True)
    made = Installed(home, folder / "work")
    made.work.mkdir()
    python = str(made.bin / "python")
    wheel = str(next(folder.glob("gitops_workers-*.whl")))
    subprocess.run([*pip, "--python", python, "install", *offline, wheel], check=True, cwd=folder)
    # The packages that the wheel asks for, from where the tests have them; their .pth files do not count here.
    (made.packages / "zz-dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return made


@pytest.fixture(scope="module")
def catalogue(installed: Installed) -> Path:
    folder = installed.work / "catalogue"
    folder.mkdir()
    (folder / "app.yaml").write_text(
        "apiVersion: argoproj.io/v1alpha1\n"
        "kind: Application\n"
        "metadata: {name: shop, namespace: argocd}\n"
        "spec:\n"
        "  project: default\n"
        "  source: {repoURL: https://git.example.com/shop.git, path: k8s, targetRevision: main}\n"
        "  destination: {name: east, namespace: shop}\n"
    )
    return folder


def _need(*names: str) -> None:
    try:
        for name in names:
            toolchain.tool(name)
    except Refused as reason:
        missing(reason)


def test_the_wheel_runs_from_its_own_files(installed: Installed) -> None:
    code = "import gitops_workers, scheduler; print(gitops_workers.__file__); print(scheduler.__file__)"
    out = subprocess.run(
        [installed.bin / "python", "-c", code], cwd=installed.work, capture_output=True, text=True, check=True
    ).stdout
    assert all(line.startswith(str(installed.packages)) for line in out.splitlines()), out
    assert installed.run("version")[0] == 0


def test_validate_reads_manifests(installed: Installed, catalogue: Path) -> None:
    code, out = installed.run("validate", str(catalogue / "app.yaml"))
    assert code == 0, out


def test_the_advice_of_doctor_names_commands_that_the_wheel_has(installed: Installed, tmp_path: Path) -> None:
    empty = tmp_path / "cache"
    installed.environment["XDG_CACHE_HOME"] = str(empty)
    try:
        code, out = installed.run("doctor")
    finally:
        del installed.environment["XDG_CACHE_HOME"]
    if code == 1:  # no helm of this version on PATH: the advice has to work
        assert "run: gitops-workers tools helm" in out
    code, out = installed.run("tools", "--help")
    assert code == 0
    assert "NAME" in out


def test_the_pinned_tools_are_those_of_the_checkout(installed: Installed) -> None:
    _need("kustomize", "helm")
    code, out = installed.run("tools", "kustomize", "helm")
    assert code == 0, out
    assert f"helm {toolchain.tool('helm')}" in out


def test_up_starts_everything_and_writes_nothing_into_the_installation(installed: Installed, catalogue: Path) -> None:
    _need("kustomize", "helm")
    before = installed.files()
    kubeconfig = installed.work / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n")
    installed.environment |= {"GITOPS_WEB_ADDRESS": "127.0.0.1:0", "GITOPS_CONSOLE_ADDRESS": "127.0.0.1:0"}
    arguments = ("--catalogue", str(catalogue), "--kubeconfig", str(kubeconfig), "--workers", "1", "--no-console")
    installed.until("application/argocd/shop", "up", *arguments)
    assert installed.files() == before


def test_the_demo_begins_its_story_and_writes_nothing_into_the_installation(installed: Installed) -> None:
    _need("kustomize", "helm", "controlplane", "kwok")
    before = installed.files()
    installed.until("ok web answers", "demo", "--once")
    assert installed.files() == before
    assert (installed.work / ".demo" / "clones" / "shop" / "k8s").is_dir()


def test_a_folder_with_somebody_s_files_is_not_emptied_for_a_demo(installed: Installed) -> None:
    folder = installed.work / "papers"
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    code, out = installed.run("demo", "--once", "--folder", str(folder))
    assert code == 1, out
    assert (folder / "thesis.txt").read_text() == "precious"
