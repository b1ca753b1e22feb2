"""The child's main loop: one job in, one answer out, until the worker closes the pipe."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import orjson

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed, Retry, UnsafeContent
from gitops_workers.core.render.isolation import Isolation
from gitops_workers.sandbox_protocol import frames
from gitops_workers.sandboxed import confine, objects, scan
from gitops_workers.sandboxed.programs import Programs
from gitops_workers.sandboxed.render_job import Render, RenderJob

_PAGE = os.sysconf("SC_PAGE_SIZE")
_EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.ENFILE, errno.EAGAIN}
"""What a job meets when others use up what the host has: it says nothing about the job's content."""


class Jobs:
    """What a child can do. Each job takes a request and the blobs sent with it, and returns a head and a body."""

    def __init__(self, programs: Programs, renderers: Mapping[str, Render], prefix: str) -> None:
        """`renderers` by tool. `prefix` is where this process sees its own folder."""
        self._programs = programs
        self._renderers = renderers
        self._job = f"{prefix}/job"

    def run(self, job: str, request: Mapping[str, Any], blobs: list[bytes]) -> tuple[Any, bytes]:
        """Do one job. Raises RenderFailed."""
        match job:
            case "scan":
                return [self._scan(item, blob) for item, blob in zip(request["files"], blobs, strict=True)], b""
            case "documents":
                return [_positioned(item) for item in yaml_events.load_positions(blobs[0])], b""
            case "render":
                return {}, self._render(request, blobs)
        raise RenderFailed(f"the sandbox has no job {job!r}")

    def _render(self, request: Mapping[str, Any], blobs: list[bytes]) -> bytes:
        deadline = time.monotonic() + request["seconds"]
        files = [(path, mode, blobs[number]) for path, mode, number in request["files"]]
        remarks: list[str] | None = [] if request["repeated_keys"] else None
        render = self._renderers.get(request["tool"])
        if render is None:
            raise RenderFailed(f"this sandbox has no renderer {request['tool']!r}")
        found = render(RenderJob(request, files, self._programs, self._job, deadline, remarks))
        return objects.finish(found, request, remarks or ())

    def _scan(self, item: Mapping[str, str], blob: bytes) -> Any:
        try:
            return _SCANS[item["kind"]](blob, item["place"])
        except RenderFailed as error:
            return {"error": _kind(error), "message": str(error)}


_SCANS = {"chart": scan.chart, "kustomization": scan.kustomization, "plugin": scan.plugin}


def _positioned(document: yaml_events.Document) -> Any:
    return [document.value, document.line, [[list(place), line] for place, line in document.lines.items()]]


def _kind(error: RenderFailed) -> str:
    if isinstance(error, frames.InputMissing):
        return "InputMissing"
    return "UnsafeContent" if isinstance(error, UnsafeContent) else "RenderFailed"


class Work(Protocol):
    """What a child does, whatever its trade."""

    def run(self, job: str, request: Mapping[str, Any], blobs: list[bytes]) -> tuple[Any, bytes]:
        """Do one job. Raises RenderFailed."""


def _answer(jobs: Work, frame: tuple[Any, bytes]) -> bytes:
    head, body = frame
    blobs, at = [], 0
    for size in head["blobs"]:
        blobs.append(body[at : at + size])
        at += size
    seconds = int(time.process_time() + head["seconds"]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    try:
        result, payload = jobs.run(head["job"], head["request"], blobs)
        answer: dict[str, Any] = {"result": result}
    except RenderFailed as error:
        payload, answer = b"", {"error": _kind(error), "message": str(error), "line": getattr(error, "line", 0)}
    except Retry as error:
        payload, answer = b"", {"error": "Retry", "message": str(error)}
    except OSError as error:
        if error.errno not in _EXHAUSTED:
            raise
        words = f"the scratch space of this worker is used up ({os.strerror(error.errno)}); it is tried again"
        payload, answer = b"", {"error": "Retry", "message": words}
    except MemoryError:
        payload, answer = (
            b"",
            {"error": "UnsafeContent", "message": "the content needs more memory than a render may use"},
        )
    return frames.encode({**answer, "resident": _resident()}, payload)


def _open_statm() -> int:
    """Our own memory figures, opened while /proc can still be seen; -1 where there are none."""
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


_STATM = _open_statm()


def _resident() -> int:
    """Bytes in memory now; the peak where the kernel tells only that.

    The peak begins with that of the process which forked us: children of a large worker would look worn at birth.
    """
    if _STATM < 0:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(os.pread(_STATM, 128, 0).split()[1]) * _PAGE


def main() -> None:
    """Render and parse, as argv[1] (JSON) says."""
    settings = orjson.loads(sys.argv[1])
    confine.die_with_parent(settings["parent"])
    programs = Programs(settings["tools"])
    renderers: dict[str, Render] = {
        tool: importlib.import_module(f"{__package__}.{module}").render
        for tool, module in settings["renderers"].items()
    }
    yaml_events.load_documents(yaml_events.dump({"warm": [1, "é"]}).encode())  # imports what is imported late

    def jobs(isolation: Isolation) -> Jobs:
        return Jobs(programs, renderers, "" if isolation.chroot else settings["root"])

    serve(settings, jobs, programs.descriptors())


def serve(settings: Mapping[str, Any], work: Callable[[Isolation], Work], programs: Iterable[int] = ()) -> None:
    """Confine this process, greet, and do jobs until the worker closes the pipe. `work` is told what took effect.

    `programs` are the descriptors of the tools that jobs run.
    """
    gc.disable()  # jobs make few cycles, and the child is replaced when it grows
    isolation = confine.confine(settings["root"], settings["parent"], programs)
    confine.limit(settings["memory"], settings["file_size"], settings["processes"])
    jobs = work(isolation)
    gc.freeze()
    frames.write(1, frames.encode({"result": dict(isolation.as_mapping()), "resident": _resident()}))
    with contextlib.suppress(BrokenPipeError):
        while (frame := frames.read(0)) is not None:
            frames.write(1, _answer(jobs, frame))
