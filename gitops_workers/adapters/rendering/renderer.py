"""The port `Renderer`: content keys, caches, and the fall back to the whole commit."""

from __future__ import annotations

import functools
import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from gitops_workers.adapters.rendering import request
from gitops_workers.adapters.rendering.memory import Failures, Recent, SingleFlight
from gitops_workers.adapters.rendering.renderers import BY_TOOL
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.model import Resolved, SourceSpec
from gitops_workers.core.objects import canonical, digest
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.ports import Closure, RenderCache, RenderContext, Rendered, Sources
from gitops_workers.sandbox_protocol.frames import InputMissing, Runner

POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that Git LFS has put somewhere else (its specification, "The Pointer")."""

FORMAT = "3"
"""Part of every key: raised when the same inputs give other objects than before."""


class WholeCommit(Protocol):
    """What the renderer needs of the closures."""

    def whole(self, source: SourceSpec, render: RenderSpec, resolved: Resolved, missed: Closure) -> Closure:
        """The whole commit as input; remembered for closures equal to `missed`."""


class CachedRenderer:
    """Renders in the sandbox; equal inputs share one render across threads, and through the cache across hosts."""

    def __init__(
        self,
        sources: Sources,
        closures: WholeCommit,
        sandbox: Runner,
        cache: RenderCache,
        *,
        tools: Mapping[str, Path],
        key: bytes,
        seconds: float = 90.0,
        lifetime: float = 86_400.0,
        memory: int = 16 << 20,
        failures: Failures | None = None,
        strict: bool = False,
    ) -> None:
        """`key` keys the digests of variables, so that a content key tells nothing about a secret value.

        `strict` refuses keys that stand twice for Argo CD applications, too. `seconds` for one render, `lifetime` of a
        result in the cache, `runtime.process_memory` in bytes for this process' own.
        """
        self._sources = sources
        self._closures = closures
        self._sandbox = sandbox
        self._cache = cache
        self._tools = dict(tools)
        self._key = key
        self._seconds = seconds
        self._strict = strict
        self._lifetime = lifetime
        self._recent = Recent(memory)
        self._failures = failures or Failures()
        self._flights = SingleFlight()

    def render(self, source: SourceSpec, render: RenderSpec, closure: Closure, context: RenderContext) -> Rendered:
        """The objects of this closure. Raises RenderFailed with the tool's own words, UnsafeContent for attacks."""
        try:
            return self._rendered(source, render, closure, context)
        except InputMissing:
            if closure.whole:
                raise
            whole = self._closures.whole(source, render, context.resolved, closure)
            return self._rendered(source, render, whole, context)

    def _rendered(self, source: SourceSpec, render: RenderSpec, closure: Closure, context: RenderContext) -> Rendered:
        told = request.build(source, render, closure, context, strict=self._strict)
        variables = request.variables(render, context)
        key = digest(
            "render", FORMAT, closure.digest, self._version(closure.tool), canonical(told), self._sealed(variables)
        )
        body = self._recent.get(key)
        cached = body is not None
        if body is None:
            self._failures.check(key)
            body, cached = self._flights.do(key, lambda: self._fetch(key, source, closure, told, variables))
        found = orjson.loads(body)
        objects, remarks, repeated = (tuple(found[name]) for name in ("objects", "remarks", "repeated"))
        return Rendered(digest(key, body), objects, cached, remarks, repeated)

    def _fetch(
        self, key: str, source: SourceSpec, closure: Closure, told: dict[str, Any], variables: Mapping[str, str] | None
    ) -> bytes:
        body = self._cache.get(key)
        if body is None:
            try:
                body = self._work(source, closure, told, variables)
            except InputMissing:
                if closure.whole:
                    self._failures.add(
                        key, RenderFailed(f"{closure.path or '.'}: a file that the render needs is missing")
                    )
                raise
            except RenderFailed as error:
                self._failures.add(key, error)
                raise
            self._cache.put(key, body, self._lifetime)
        self._failures.forget(key)
        self._recent.put(key, body)
        return body

    def _work(
        self, source: SourceSpec, closure: Closure, told: dict[str, Any], variables: Mapping[str, str] | None
    ) -> bytes:
        entries = (*closure.entries, *closure.others)
        oids = list(dict.fromkeys(entry.oid for entry in entries))
        blobs = self._sources.blobs(source, oids)
        for entry in closure.entries:
            if blobs[entry.oid].startswith(POINTER):
                raise RenderFailed(
                    f"{entry.path} is a pointer to Git LFS, whose files are not fetched; commit the file itself, or "
                    "keep it out of what the application reads"
                )
        numbers = {oid: number for number, oid in enumerate(oids)}
        files = [(entry.path, entry.mode, numbers[entry.oid]) for entry in entries]
        job = {**told, "files": files, "variables": variables, "seconds": self._seconds}
        _, body = self._sandbox.run(
            "render", job, [blobs[oid] for oid in oids], what=closure.path or ".", seconds=self._seconds
        )
        return body

    def _version(self, tool: str) -> str:
        path = self._tools.get(BY_TOOL[tool].program)
        return "" if path is None else _version(str(path))

    def _sealed(self, variables: Mapping[str, str] | None) -> str:
        if variables is None:
            return ""
        return hashlib.blake2b(canonical(variables), digest_size=16, key=self._key[:64]).hexdigest()


@functools.cache
def _version(path: str) -> str:
    """What the tool says of itself: part of the key, so that an upgrade renders anew."""
    try:
        answer = subprocess.run(
            [path, "version"], capture_output=True, timeout=30, check=True, env={"HOME": "/nonexistent"}
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RenderFailed(f"{path} does not run ({type(error).__name__}); `gitops-workers doctor` says more") from None
    return answer.stdout.decode("utf-8", "replace").strip()
