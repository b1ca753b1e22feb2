"""A Git server over SSH for tests: reads bare repositories, for one authorized key.

It runs git's own upload-pack, so a client sees what a real server sends. Pushing is not offered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

_COMMAND = re.compile(r"git[ -]upload-pack")


@dataclass(frozen=True, slots=True)
class GitSshServer:
    """A running server."""

    root: Path
    port: int
    known_hosts: str
    """The line a client's known_hosts file needs."""

    def url(self, repository: str, user: str = "git") -> str:
        """Return the URL of a bare repository, named by its path under the root."""
        return f"ssh://{user}@127.0.0.1:{self.port}/{repository}"


def generate_key() -> tuple[str, str]:
    """Return a fresh client key: the private part (OpenSSH PEM) and the authorized_keys line."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    return key.export_private_key().decode(), key.export_public_key().decode().strip()


@contextlib.contextmanager
def git_ssh(root: Path, authorized_key: str) -> Iterator[GitSshServer]:
    """Serve the bare repositories under `root`, while the block runs, to the holder of one private key."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="git-ssh", daemon=True)
    thread.start()
    root = root.resolve()
    host_key = asyncssh.generate_private_key("ssh-ed25519")

    async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.exit(await _upload_pack(root, process))

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(authorized_key),
            process_factory=serve,
            encoding=None,
        )

    async def close(acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        await acceptor.wait_closed()

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        port = acceptor.get_port()
        public = host_key.export_public_key().decode().strip()
        yield GitSshServer(root, port, f"[127.0.0.1]:{port} {public}")
    finally:
        asyncio.run_coroutine_threadsafe(close(acceptor), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _wanted(root: Path, command: str) -> Path | None:
    """Return the repository of a `git-upload-pack 'path'` command; None for anything else, or outside the root."""
    words = shlex.split(command)
    if not words or not _COMMAND.fullmatch(" ".join(words[:-1])):
        return None
    repository = (root / words[-1].lstrip("/")).resolve()
    return repository if repository.is_relative_to(root) and repository.is_dir() else None


async def _upload_pack(root: Path, process: asyncssh.SSHServerProcess[bytes]) -> int:
    repository = _wanted(root, process.command or "")
    if repository is None:
        process.stderr.write(b"no such repository, or not a command this server runs\n")
        return 128
    protocol = process.env.get("GIT_PROTOCOL", "")
    git = await asyncio.create_subprocess_exec(
        "git",
        "-c",
        "safe.directory=*",
        "upload-pack",
        str(repository),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_PROTOCOL": str(protocol)},
    )
    assert git.stdin is not None
    assert git.stdout is not None
    # By hand: asyncssh's `redirect` leaves a coroutine of its own unawaited when the client hangs up first.
    incoming = asyncio.create_task(_copy(process.stdin, git.stdin))
    await _copy(git.stdout, process.stdout)
    incoming.cancel()
    await asyncio.gather(incoming, return_exceptions=True)
    return await git.wait()


async def _copy(source: Any, target: Any) -> None:
    """Copy bytes between a stream of asyncssh and one of asyncio, to the source's end."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, asyncssh.Error):
        while part := await source.read(65_536):
            target.write(part)
            await target.drain()
        target.write_eof()
