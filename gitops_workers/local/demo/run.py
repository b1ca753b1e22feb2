"""Starts everything the demo needs, has the story told, and ends everything."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from gitops_workers.cli.output import Output, show_rows
from gitops_workers.cli.views import applications
from gitops_workers.core.errors import GitOpsError, Refused
from gitops_workers.core.text.redact import scrub
from gitops_workers.local import toolchain
from gitops_workers.local.control_planes import ControlPlanes, control_planes, write_kubeconfig
from gitops_workers.local.demo.repositories import PUBLIC, SAMPLES, create
from gitops_workers.local.demo.scene import DidNotHappen, Scene
from gitops_workers.local.demo.story import tell
from gitops_workers.local.git_server import GitServer, git_server
from gitops_workers.local.signals import Asked, end_when_asked
from gitops_workers.local.stack import Stack, stack
from gitops_workers.settings import Settings
from gitops_workers.wiring.stores import open_state

FOLDER = Path(".demo")
"""In the folder where the demo is started: its clones are there to work in."""
CLUSTERS = ("east", "west")
WEB, CONSOLE = 8080, 5555
ENDED = 130


def run(*, once: bool, folder: Path = FOLDER) -> int:
    """Run the demo; 0 when every step of the story really happened."""
    folder, began = folder.resolve(), time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {scrub(line)}" if line else "", flush=True)

    say("the gitops-workers demo; everything is written below " + str(folder))
    end_when_asked()
    try:
        with contextlib.ExitStack() as opened:
            scene = _open(opened, folder, say, began)
            try:
                tell(scene)
            except DidNotHappen:
                _table(scene, Output.WIDE)
                raise
            _finale(scene, folder, say)
            if once:
                say("every step happened; ending")
                return 0
            say("Ctrl-C ends everything")
            while True:
                time.sleep(1.0)
                scene.stack.supervisor.tend()
    except GitOpsError as problem:
        say(f"the demo failed: {problem}")
        return 1
    except Asked:
        return ENDED if once else 0


def _open(opened: contextlib.ExitStack, folder: Path, say: Callable[[str], None], began: float) -> Scene:
    _prepare(opened, folder)
    toolchain.ensure(["kustomize", "helm", "controlplane", "kwok"], say)
    say("making the sample repositories")
    repositories = create(folder / "git", folder / "clones")
    server = opened.enter_context(git_server(folder / "git", push=True))
    with _ticking("starting two Kubernetes control planes", say):
        planes = opened.enter_context(control_planes(CLUSTERS, state=folder / "clusters", nodes=1))
    kubeconfig = write_kubeconfig(planes, folder / "kubeconfig")
    say(f"Kubernetes runs: {', '.join(f'{plane.name} at {plane.server}' for plane in planes)}")
    secret = secrets.token_hex(16)
    running = opened.enter_context(stack(_settings(folder, server, kubeconfig, secret), say=say))
    say(f"the engine starts: beat, two workers, web at {running.web}, Flower at {running.console}/applications")
    state = open_state(running.settings)
    scene = Scene(planes, repositories, running, state, secret.encode(), say, began)
    scene.until("web answers", lambda: _listens(running.settings.web_address))
    return scene


def _prepare(opened: contextlib.ExitStack, folder: Path) -> None:
    """An empty folder that is ours alone; what is no folder of a demo is never emptied."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "lock").is_file():
        raise Refused(f"{folder} is not empty and no demo has run there: give an empty folder by --folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = opened.enter_context((folder / "lock").open("w"))
    except OSError as error:
        raise Refused(f"cannot write below {folder} ({error.strerror}): give another folder by --folder.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(f"a demo runs already in {folder}: end it first, or give another folder by --folder.") from None
    for item in folder.iterdir():
        if item.name != "lock":
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    shutil.copytree(SAMPLES / "catalogue", folder / "catalogue")


def _settings(folder: Path, server: GitServer, kubeconfig: Path, secret: str) -> Settings:
    return Settings(
        catalogue=(str(folder / "catalogue"),),
        kubeconfig=str(kubeconfig),
        in_cluster=CLUSTERS[0],
        state=str(folder / "state"),
        git_schemes=("https", "http"),
        git_mirrors=(f"{PUBLIC}={server.base_url}/",),
        catalogue_interval=1.0,
        web_address=_free_address(WEB),
        console_address=_free_address(CONSOLE),
        webhook_secrets=(f"github={secret}",),
        loopback=True,
        tools=os.environ.get("GITOPS_TOOLS", ""),
        redis_server=os.environ.get("GITOPS_REDIS_SERVER", ""),
    )


def _free_address(wanted: int) -> str:
    """The usual port, or a free one where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return f"127.0.0.1:{probe.getsockname()[1]}"
    raise Refused("there is no free port on 127.0.0.1")


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0


@contextlib.contextmanager
def _ticking(what: str, say: Callable[[str], None]) -> Iterator[None]:
    """A line now and every two seconds, while something that cannot report by itself is under way."""
    say(what)
    ended = threading.Event()
    began = time.monotonic()

    def tick() -> None:
        while not ended.wait(2.0):
            say(f"      ... {time.monotonic() - began:.0f} s")

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        ended.set()
        ticker.join()


def _finale(scene: Scene, folder: Path, say: Callable[[str], None]) -> None:
    say("What there is now:")
    _table(scene, Output.TABLE)
    _addresses(scene.stack, scene.planes, folder)


def _table(scene: Scene, output: Output) -> None:
    """What `app list` prints."""
    rows = [row for app in scene.state.applications() if (row := scene.state.status(app))]
    show_rows(applications(), rows, output)
    sys.stdout.flush()


def _addresses(running: Stack, planes: ControlPlanes, folder: Path) -> None:
    place = os.path.relpath(folder)
    lines = [
        ("Flower with the Applications page", f"{running.console}/applications"),
        ("API", f"{running.web}/api/docs"),
        ("commands", f"GITOPS_STATE={place}/state {Path(sys.executable).parent / 'gitops-workers'} app list"),
        ("clusters", f"kubectl --kubeconfig {place}/kubeconfig --context {planes[0].name} get deployments -A"),
        ("repositories to commit in", f"{place}/clones (git push is polled, within two minutes at most)"),
        ("logs", os.path.relpath(running.logs)),
    ]
    print()
    for title, text in lines:
        print(f"  {title + ':':<36}{text}", flush=True)
    print(flush=True)
