"""Git, the renderer and nothing else: the stages that only read, for commands without cluster and Redis."""

from __future__ import annotations

import contextlib
import secrets as randomness
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_workers.adapters.rendering import CHILDREN, PROGRAMS, CachedRenderer, TreeClosures
from gitops_workers.adapters.sandbox import Sandbox
from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.cli.files import documents
from gitops_workers.cli.output import flat
from gitops_workers.core.dialect import policy_of
from gitops_workers.core.model import Application, Resolved
from gitops_workers.core.objects import Manifest
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.settings.governing import with_settings
from gitops_workers.dialects.argocd.application import NAMESPACE
from gitops_workers.dialects.argocd.installation import installation
from gitops_workers.dialects.argocd.settings import NAME
from gitops_workers.dialects.configs import ConfigObject
from gitops_workers.pipeline.context import RenderPorts
from gitops_workers.pipeline.reconcile import stages
from gitops_workers.ports import Closures, Discovery, Renderer, Secrets, Sources
from gitops_workers.ports.tracing import NO_TRACES, Tracer
from gitops_workers.settings import Settings
from gitops_workers.toolchain import ToolMissing, tool
from gitops_workers.wiring.sandbox import render_limits
from gitops_workers.wiring.sources import Means, open_sources

NO_CLUSTER = Discovery(resources={}, kube_version="", api_versions=())
"""Without a cluster Helm's own defaults count: the Kubernetes version it was built for, and its API versions."""


class _NothingShared:
    """Port `RenderCache` for one command: nobody to share with."""

    def get(self, key: str) -> bytes | None:  # noqa: ARG002 - the port's names
        return None

    def put(self, key: str, value: bytes, lifetime: float) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class OfflinePorts:
    """The ports of a command that only resolves, fetches and renders."""

    sources: Sources
    closures: Closures
    renderer: Renderer
    secrets: Secrets
    tracer: Tracer = NO_TRACES


@contextlib.contextmanager
def offline_ports(settings: Settings, configs: Iterable[ConfigObject] = ()) -> Iterator[RenderPorts]:
    """Open what a render needs. `configs` are ConfigMaps known beside GITOPS_SECRETS."""
    known = tuple(configs)
    tools = _tools()
    sandbox = Sandbox(tools, children=1, limits=render_limits(settings), renderers=CHILDREN)
    secrets = SecretFiles(Path(settings.secrets) if settings.secrets else None, documents, lambda: known)
    shared = _NothingShared()
    sources, git = open_sources(Means(settings, secrets, shared, time.time))
    closures = TreeClosures(sources, sandbox, git)
    try:
        yield OfflinePorts(
            sources=sources,
            closures=closures,
            renderer=CachedRenderer(
                sources,
                closures,
                sandbox,
                shared,
                tools=tools,
                key=randomness.token_bytes(32),
                strict=settings.strict_keys,
            ),
            secrets=secrets,
        )
    finally:
        sources.close()
        sandbox.close()


def render(
    context: RenderPorts, app: Application, resolved: Resolved, found: Discovery = NO_CLUSTER
) -> tuple[Manifest, ...]:
    """The application's objects as its source means them, before marks and defaults are put on.

    What people should know of the render goes to standard error.
    """
    _, rendered = stages.render_objects(context, _governed(context, app), resolved, found)
    for remark in (*rendered.remarks, *rendered.repeated):
        print(f"gitops-workers: {app.id}: {flat(remark)}", file=sys.stderr)
    return rendered.objects


def _governed(context: RenderPorts, app: Application) -> Application:
    """The application under the `argocd-cm` that is known here. Raises InvalidManifest for what of it is not done."""
    data = context.secrets.read(SecretRef("ConfigMap", NAMESPACE, NAME)) if policy_of(app.dialect).governed else None
    if data is None:
        return app

    def value(text: bytes, name: str) -> object:
        found = documents(text, name)
        return found[0].value if found else None

    texts = {key: item.decode("utf-8", "replace") for key, item in data.items()}
    return with_settings(app, installation(texts, value, f"ConfigMap {NAME}"))


def _tools() -> dict[str, Path]:
    found = {}
    for name in PROGRAMS:
        with contextlib.suppress(ToolMissing):  # whoever needs it says so, with the way to get it
            found[name] = tool(name)
    return found
