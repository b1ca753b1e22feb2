"""T17: a credential is in no command line, environment, file, message or error; a canary in every slot says so."""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from dataclasses import fields
from pathlib import Path

import pytest

from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.source.credentials import Credential
from gitops_workers.local.git_server import git_server
from tests.integration.git.http_servers import redirecting_server, tls_server
from tests.servers.git_repository import BareRepository
from tests.servers.git_ssh import generate_key, git_ssh
from tests.servers.sources import MemoryStore, git_sources

CANARY = "kanarie9d1f4e7b"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}{CANARY}\n-----END RSA PRIVATE KEY-----\n"
SLOTS = [field.name for field in fields(Credential)]


def filled(slot: str) -> Credential:
    base = {"username": "bot", "password": "x", "ssh_private_key": PEM, "known_hosts": "host ssh-ed25519 AAAA"}
    if slot in ("bearer_token", "username", "ca", "client_certificate", "client_key"):
        base |= {"client_certificate": "c"} if slot == "client_key" else {}
    return Credential(**{**base, slot: CANARY if slot != "ssh_private_key" else PEM})


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("kind", ["refused", "missing", "redirect", "silent", "ssh", "tls", "userinfo"])
def test_a_failing_request_shows_no_credential(slot: str, kind: str, tmp_path: Path) -> None:
    shared = MemoryStore()
    credential = filled(slot)
    with contextlib.ExitStack() as stack:
        if kind == "refused":
            (tmp_path / "s").mkdir()
            server = stack.enter_context(git_server(tmp_path / "s", user="bot", password="other"))
            url = server.url("x.git")
        elif kind == "missing":
            url = stack.enter_context(redirecting_server(lambda _: None))[0] + "/x.git"
        elif kind == "redirect":
            url = stack.enter_context(redirecting_server(lambda _: f"http://bot:{CANARY}@evil.test/"))[0] + "/x.git"
        elif kind == "tls":
            (tmp_path / "s").mkdir()
            server = stack.enter_context(git_server(tmp_path / "s"))
            url = f"https://127.0.0.1:{stack.enter_context(tls_server(server.port, tmp_path))[0]}/x.git"
        else:
            url = {
                "silent": "http://127.0.0.1:1/x.git",
                "ssh": "ssh://git@127.0.0.1:1/x.git",
                "userinfo": f"http://{CANARY}:{CANARY}@127.0.0.1:1/x.git",
            }[kind]
        source = SourceSpec(url, timeout=20)
        sources = stack.enter_context(git_sources(tmp_path / "m", credentials={url: credential}, shared=shared))
        for call in (lambda: sources.refs(source, not_before=time.time()), lambda: sources.fetch(source, "1" * 40)):
            with pytest.raises(GitOpsError) as caught:
                call()
            shown = "".join(traceback.format_exception(caught.value))
            assert CANARY not in shown
    assert CANARY not in repr(shared.values)
    assert not [path for path in (tmp_path / "m").rglob("*") if CANARY in str(path)]
    assert not [path for path in (tmp_path / "m").rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


@pytest.mark.parametrize("slot", ["password", "bearer_token", "username", "ssh_private_key"])
def test_a_running_request_shows_no_credential_to_ps(slot: str, tmp_path: Path) -> None:
    repository = BareRepository(tmp_path / "served" / "app.git")
    repository.commit({"a": b"1"})
    with contextlib.ExitStack() as stack:
        if slot == "ssh_private_key":
            private, public = generate_key()
            ssh = stack.enter_context(git_ssh(repository.path.parent, public))
            url = ssh.url("app.git")
            needles = [line for line in private.splitlines() if "KEY" not in line]
            credential = Credential(ssh_private_key=private, known_hosts=ssh.known_hosts)
        else:
            server = stack.enter_context(git_server(repository.path.parent))
            server.hang()
            stack.callback(server.resume)
            url, needles, credential = server.url("app.git"), [CANARY], filled(slot)
        sources = stack.enter_context(git_sources(tmp_path / "m", credentials={url: credential}))
        seen = set()

        def request() -> None:
            with contextlib.suppress(GitOpsError):
                sources.refs(SourceSpec(url, timeout=3), not_before=time.time())

        thread = threading.Thread(target=request)
        thread.start()
        while thread.is_alive():
            for name in ("cmdline", "environ"):
                for path in Path("/proc").glob(f"[0-9]*/{name}"):
                    with contextlib.suppress(OSError):
                        data = path.read_bytes()
                        if b"ls-remote" in data:
                            seen.add(name)
                        assert not [needle for needle in needles if needle.encode() in data], path
            leftovers = [path for folder in ("/dev/shm", "/tmp") for path in Path(folder).glob("gitops-secret-*")]
            assert not leftovers
        thread.join()
    assert "cmdline" in seen  # we did look while it ran


def test_no_descriptor_of_a_credential_stays_open(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/x.git"
    with git_sources(tmp_path / "m", credentials={url: filled("password")}) as sources:
        for _ in range(3):
            with pytest.raises(GitOpsError):
                sources.refs(SourceSpec(url), not_before=time.time())
        names = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert not [name for name in names if "memfd:secret" in name]


@pytest.mark.parametrize("value", [f"{CANARY}\nX-Evil: 1", f"{CANARY}\r\n", f"{CANARY}\x00"])
def test_a_credential_cannot_add_a_header_or_a_setting(value: str, tmp_path: Path) -> None:
    with redirecting_server(lambda _: None) as (url, seen):
        source = SourceSpec(f"{url}/x.git")
        with (
            git_sources(tmp_path / "m", credentials={source.url: Credential(bearer_token=value)}) as sources,
            pytest.raises(GitOpsError, match="line break") as caught,
        ):
            sources.refs(source, not_before=0)
    assert CANARY not in str(caught.value)
    assert seen == []


@pytest.mark.parametrize("token", ['a"b', "a\\b", 'x"\n\tb', "a;b#c", "%s $(id) `id`"])
def test_a_token_arrives_exactly_as_it_is(token: str, tmp_path: Path) -> None:
    with redirecting_server(lambda _: None) as (url, seen):
        source = SourceSpec(f"{url}/x.git")
        with (
            git_sources(tmp_path / "m", credentials={source.url: Credential(bearer_token=token)}) as sources,
            pytest.raises(GitOpsError),
        ):
            sources.refs(source, not_before=0)
    expected = set() if "\n" in token else {f"Bearer {token}"}
    assert {header for _, header in seen} == expected
