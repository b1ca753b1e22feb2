"""Control planes side by side, all on one etcd under different prefixes, since an etcd costs 125 MB.

Everything is gone when the block ends.

    with control_planes(["east", "west"], state=folder, controllers=True) as planes:
        write_kubeconfig(planes, folder / "kubeconfig")

    python -m gitops_workers.local.control_planes --count 2 --kubeconfig FILE
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from gitops_workers import toolchain
from gitops_workers.core.errors import GitOpsError
from gitops_workers.local import kube_programs
from gitops_workers.local.child import Child, await_ready
from gitops_workers.local.control_plane import READY_SECONDS, ControlPlane
from gitops_workers.local.kube_programs import StaticToken
from gitops_workers.local.scratch import scratch_folder


class ControlPlanes(Sequence[ControlPlane]):
    """The planes of one `control_planes` block, in the order they were asked for."""

    def __init__(self, state: Path, program: Path, etcd: Child, etcd_url: str, **options: Any) -> None:
        """Use `control_planes`."""
        self.etcd = etcd
        self._state = state
        self._program = program
        self._etcd_url = etcd_url
        self._audit = options.pop("audit", False)
        self._options = options
        self._planes: list[ControlPlane] = []

    @overload
    def __getitem__(self, index: int) -> ControlPlane: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ControlPlane]: ...
    def __getitem__(self, index: int | slice) -> ControlPlane | Sequence[ControlPlane]:
        """Return a plane by position."""
        return self._planes[index]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._planes)

    def named(self, name: str) -> ControlPlane:
        """Return a plane by name."""
        return next(plane for plane in self._planes if plane.name == name)

    def add(
        self, *names: str, tokens: Sequence[StaticToken] = (), nodes: int | None = None, stages: Path | None = None
    ) -> list[ControlPlane]:
        """Start more planes, all at once, and wait until they serve. `nodes` and `stages`: other than the block's."""
        chosen = {"nodes": nodes, "stages": stages}
        options = self._options | {name: value for name, value in chosen.items() if value is not None}
        added = [
            ControlPlane(name, self._state / name, self._program, self._etcd_url, tokens, audit=self._audit)
            for name in names
        ]
        self._planes += added
        for plane in added:
            plane.spawn()
        for plane in added:
            plane.finish(**options)
        return added

    def close(self) -> None:
        """End every plane."""
        for plane in self._planes:
            for child in plane.children.values():
                child.signal(signal.SIGTERM)
        for plane in self._planes:
            plane.close()


@contextlib.contextmanager
def control_planes(
    names: Iterable[str],
    *,
    state: Path,
    controllers: bool = False,
    nodes: int = 0,
    tokens: Sequence[StaticToken] = (),
    stages: Path = kube_programs.STAGES,
    audit: bool = False,
) -> Iterator[ControlPlanes]:
    """Run one control plane per name while the block runs; files and logs are in `state`.

    `controllers` adds a kube-controller-manager to each (175 MB); `nodes` adds also a scheduler, kwok and so many fake
    nodes, whose pods behave as `stages` says. Every plane accepts `tokens` beside its administrator's.
    `audit` logs each request of the user `engine` (see kube_programs.audit_flags).
    Raises `ToolMissing` when a program is not built.
    """
    program = toolchain.tool("controlplane")
    if nodes:
        toolchain.tool("kwok")
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(scratch_folder("etcd", state))
        url = kube_programs.etcd_url(data)
        etcd = stack.enter_context(
            Child.spawn(kube_programs.etcd(program, data), name="etcd", log=state / "etcd.log", env={}, cwd=data)
        )
        await_ready(etcd, lambda: _listens(data / "client"), timeout=READY_SECONDS, poll=0.02)
        planes = ControlPlanes(
            state, program, etcd, url, controllers=controllers, nodes=nodes, stages=stages, audit=audit
        )
        stack.callback(planes.close)
        planes.add(*names, tokens=tokens)
        yield planes


def write_kubeconfig(planes: Sequence[ControlPlane], path: Path) -> Path:
    """Write one kubeconfig with a context per plane, named like it; the first is current."""
    parts = [plane.kubeconfig for plane in planes]
    merged: dict[str, Any] = {"apiVersion": "v1", "kind": "Config"}
    for key in ("clusters", "users", "contexts"):
        merged[key] = [entry for part in parts for entry in part[key]]
    merged["current-context"] = planes[0].name
    return kube_programs.write_config(path, merged)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run control planes until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m gitops_workers.local.control_planes")
    parser.add_argument("--count", type=int, default=1, help="how many clusters (default 1), named cluster-1, ...")
    parser.add_argument("--name", action="append", default=[], help="their names instead; repeatable")
    parser.add_argument("--kubeconfig", type=Path, required=True, help="the file to write")
    parser.add_argument("--nodes", type=int, default=0, help="fake nodes per cluster, on which pods run (needs kwok)")
    parser.add_argument("--no-controllers", action="store_true", help="the API server only")
    parser.add_argument("--state", type=Path, help="folder for files and logs (default: a temporary one)")
    options = parser.parse_args(arguments)
    names = options.name or [f"cluster-{number}" for number in range(1, options.count + 1)]
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    began = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            state = options.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gitops-planes-")))
            print(f"starting {len(names)} control planes; logs in {state}", flush=True)
            planes = stack.enter_context(
                control_planes(names, state=state, controllers=not options.no_controllers, nodes=options.nodes)
            )
            write_kubeconfig(planes, options.kubeconfig)
            print(f"ready after {time.monotonic() - began:.1f} s; kubeconfig: {options.kubeconfig}", flush=True)
            while not ended.wait(1.0):
                planes.etcd.check()
                for plane in planes:
                    plane.check()
    except GitOpsError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
