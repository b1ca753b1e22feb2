"""Folders in memory are private, and the ones of killed processes do not pile up."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_workers.local import scratch
from gitops_workers.local.scratch import scratch_folder

HOLDER = """
import sys
from pathlib import Path
from gitops_workers.local import scratch
scratch.MEMORY = Path("/nonexistent")
with scratch.scratch_folder("test", Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def parent(tmp_path, monkeypatch):
    """A machine whose memory file system is missing, so that folders are made here."""
    monkeypatch.setattr(scratch, "MEMORY", Path("/nonexistent"))
    return tmp_path


def test_a_folder_is_private_and_gone_afterwards(parent):
    with scratch_folder("test", parent) as folder:
        assert folder.parent == parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(parent.iterdir()) == []


def test_memory_is_used_only_where_there_is_room(tmp_path, monkeypatch):
    memory, otherwise = tmp_path / "memory", tmp_path / "otherwise"
    memory.mkdir()
    otherwise.mkdir()
    monkeypatch.setattr(scratch, "MEMORY", memory)
    monkeypatch.setattr(scratch, "MINIMUM_BYTES", 1)
    with scratch_folder("test", otherwise) as folder:
        assert folder.parent == memory
    monkeypatch.setattr(scratch, "MINIMUM_BYTES", 1 << 62)
    with scratch_folder("test", otherwise) as folder:
        assert folder.parent == otherwise


def test_the_folder_of_a_killed_process_is_removed_by_the_next(parent):
    command = [sys.executable, "-c", HOLDER, str(parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        left = Path(holder.stdout.readline().strip())
        with scratch_folder("test", parent):
            assert left.exists(), "its owner lives"
        holder.kill()
        holder.wait()
    with scratch_folder("test", parent):
        assert not left.exists()
