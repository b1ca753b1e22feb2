"""A worker's adapters, put together: Git, rendering, clusters, catalogues.

Credentials are read when they are needed, from files that are looked at again after a few seconds, so that a rotated
token is used by the next attempt without a restart.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from gitops_workers.adapters import catalogues as places
from gitops_workers.adapters.calendar import CronCalendar
from gitops_workers.adapters.cluster.registry import ConfiguredClusters
from gitops_workers.adapters.git import Turns
from gitops_workers.adapters.kubeconfig import Contexts, in_cluster_access, read_kubeconfig
from gitops_workers.adapters.render_cache import RedisRenderCache
from gitops_workers.adapters.rendering import CHILDREN, PROGRAMS, CachedRenderer, TreeClosures
from gitops_workers.adapters.sandbox import Sandbox
from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.cipher import Cipher
from gitops_workers.core.errors import GitOpsError
from gitops_workers.core.objects import digest
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects import Document
from gitops_workers.dialects.argocd import settings as argocd_settings
from gitops_workers.dialects.argocd.application import NAMESPACE as ARGOCD
from gitops_workers.dialects.argocd.cluster_secret import ClusterRules, cluster_secrets
from gitops_workers.dialects.argocd.installation import installation
from gitops_workers.dialects.configs import ConfigObject, is_config, parse_config
from gitops_workers.pipeline.context import Context
from gitops_workers.pipeline.reconcile.own_settings import OwnSettings
from gitops_workers.ports import Catalogue
from gitops_workers.redis_client import connect
from gitops_workers.runtime.meters import METER
from gitops_workers.sandbox_protocol.frames import Runner
from gitops_workers.settings import Settings
from gitops_workers.toolchain import ToolMissing, tool
from gitops_workers.wiring.sandbox import render_limits, rules_limits
from gitops_workers.wiring.sources import Means, open_sources
from gitops_workers.wiring.stores import cache_key, open_queue, open_state, open_telemetry
from gitops_workers.wiring.traces import process_tracer

log = structlog.get_logger()


def wired(settings: Settings) -> tuple[Context, Context, Sequence[Catalogue], Callable[[], None]]:
    """Everything a worker's tasks use: the ports of attempts, those of polls, the catalogues, how to read all anew.

    Attempts give their turn back where too many wait for a Git host already; a quarter of the threads may for one host.
    """
    tools = _tools()
    sandbox = Sandbox(tools, children=settings.sandboxes, limits=render_limits(settings), renderers=CHILDREN)
    queue, state = open_queue(settings), open_state(settings)
    cipher = Cipher(cache_key(settings))
    cache = RedisRenderCache(connect(settings.redis_url), cipher, "gitops:cache:")
    catalogues: list[Catalogue] = []
    configs = CatalogueConfigs(catalogues)
    secrets = SecretFiles(Path(settings.secrets) if settings.secrets else None, _loader(sandbox), configs.objects)
    turns = Turns(per_host=max(1, settings.concurrency // 4), in_all=max(1, settings.concurrency // 2))
    sources, git = open_sources(Means(settings, secrets, cache, queue.now, turns))
    readers = places.Readers(_loader(sandbox), git, queue.now)
    catalogues += [places.parse(text).open(readers) for text in settings.catalogue]
    bounded = sources.bounded()
    closures = TreeClosures(bounded, sandbox, git.bounded())
    evaluators = rules_sandbox(settings)
    rules = UserRules(evaluators)
    clusters = ConfiguredClusters((), connections=settings.concurrency * 2, shared=cache)
    own = OwnSettings(rules.version, _reload(settings, clusters, secrets, rules, evaluators))
    polling = Context(
        sources=sources,
        closures=closures,
        renderer=CachedRenderer(
            bounded,
            closures,
            sandbox,
            cache,
            tools=tools,
            key=cache_key(settings),
            seconds=settings.render_timeout,
            strict=settings.strict_keys,
        ),
        secrets=secrets,
        clusters=clusters,
        state=state,
        queue=queue,
        sealer=cipher,
        lease=settings.lease,
        interval=settings.argocd_interval,
        jitter=settings.argocd_jitter,
        sync_timeout=settings.sync_timeout,
        flux_interval=settings.flux_interval,
        catalogue_interval=settings.catalogue_interval,
        rules=rules,
        settings=own,
        presence=open_telemetry(settings).presence,
        meter=METER,
        tracer=process_tracer(),
        calendar=CronCalendar(),
    )

    def reload() -> None:
        own.read(queue.now)

    reload()
    return replace(polling, sources=bounded), polling, catalogues, reload


@dataclass(slots=True)
class CatalogueConfigs:
    """The Secrets and ConfigMaps of the catalogues as this process last read them."""

    catalogues: Sequence[Catalogue]
    _tokens: list[str] = field(default_factory=list)
    _objects: tuple[ConfigObject, ...] = field(default=(), repr=False)

    def objects(self) -> tuple[ConfigObject, ...]:
        """Read again only what changed. A catalogue that cannot be read now keeps what it had."""
        try:
            tokens = [item.token() for item in self.catalogues]
            if tokens != self._tokens:
                contents = [item.contents() for item in self.catalogues]
                self._objects = tuple(_configs(document for item in contents for document in item.documents))
                self._tokens = [item.token for item in contents]
        except GitOpsError as error:
            log.warning("catalogue_unreadable", reason=str(error))
        return self._objects


def _configs(documents: Iterable[Document]) -> Iterable[ConfigObject]:
    for document in documents:
        if is_config(document):
            found, _ = parse_config(document)
            if found is not None:
                yield found


def _tools() -> dict[str, Path]:
    """What is installed; a missing tool fails only the applications that need it, and says how to get it."""
    found = {}
    for name in PROGRAMS:
        try:
            found[name] = tool(name)
        except ToolMissing as error:
            log.warning("tool_missing", tool=name, reason=str(error))
    return found


def _loader(sandbox: Sandbox) -> Callable[[bytes, str], list[Document]]:
    return lambda data, name: [Document(name, value, lines) for value, lines in sandbox.documents(data, name)]


def rules_sandbox(settings: Settings) -> Sandbox:
    """Children for users' rules. The first one starts with the first rule: who has none pays for none."""
    return Sandbox({}, children=settings.sandboxes, limits=rules_limits(settings), program="rules")


@dataclass(slots=True)
class Customizations:
    """What `argocd-cm` says, parsed again only when it changed."""

    secrets: SecretFiles
    evaluators: Runner
    _seen: str = ""
    _unread: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reload(self, rules: UserRules) -> None:
        """Hand it to the rules. What cannot be read now leaves them as they are; what never could, in doubt."""
        with self._lock:
            self._reload(rules)

    def _reload(self, rules: UserRules) -> None:
        try:
            found = self.secrets.read(SecretRef("ConfigMap", ARGOCD, argocd_settings.NAME)) or {}
            data = {key: value.decode("utf-8", "replace") for key, value in found.items()}
            seen = digest(*(part for item in sorted(data.items()) for part in item))
            if seen == self._seen:
                return
            origin = f"ConfigMap {argocd_settings.NAME}"
            read, problems = argocd_settings.customizations(data, self._yaml, origin)
            read = replace(read, installation=installation(data, self._yaml, origin))
        except GitOpsError as error:
            if str(error) != self._unread:
                log.warning("settings_unreadable", reason=str(error))
            self._unread = str(error)
            if not self._seen:
                rules.doubt(str(error))
            return
        self._unread = ""
        for problem in problems:
            log.warning("settings_refused", file=problem.file, field=problem.path, reason=problem.message)
        for setting in read.installation.unheeded:
            log.warning("setting_unheeded", key=setting.key, concerns=setting.scope, advice=setting.advice)
        self._seen = seen
        rules.configure(read)

    def _yaml(self, data: bytes, name: str) -> Any:
        documents, _ = self.evaluators.run("documents", {}, [data], what=name)
        return documents[0] if documents else None


def _reload(
    settings: Settings, clusters: ConfiguredClusters, secrets: SecretFiles, rules: UserRules, evaluators: Sandbox
) -> Callable[[], None]:
    """Read again what changes under a running worker: kubeconfig, cluster Secrets, `argocd-cm`."""
    of_clusters = _cluster_reload(settings, clusters, secrets)
    customizations = Customizations(secrets, evaluators)

    def reload() -> None:
        of_clusters()
        customizations.reload(rules)

    return reload


def _cluster_reload(settings: Settings, clusters: ConfiguredClusters, secrets: SecretFiles) -> Callable[[], None]:
    """Read kubeconfig and cluster Secrets again. What cannot be read now leaves the clusters as they are."""
    rules = ClusterRules(exec=settings.allow_exec, insecure=settings.allow_insecure_clusters)

    def reload() -> None:
        try:
            contexts = _configured(settings)
            extra, problems = cluster_secrets(secrets.objects(), rules)
        except GitOpsError as error:
            log.warning("clusters_unreadable", reason=str(error))
            return
        for problem in problems:
            log.warning("cluster_secret_refused", file=problem.file, field=problem.path, reason=problem.message)
        clusters.configure(
            (*contexts.accesses, *extra),
            in_cluster=settings.in_cluster or contexts.current,
            refused=contexts.refused,
        )

    return reload


def _configured(settings: Settings) -> Contexts:
    if settings.kubeconfig:
        return read_kubeconfig(settings.kubeconfig, allow_exec=settings.allow_exec)
    own = in_cluster_access(os.environ)
    return Contexts((own,), own.name) if own else Contexts(())
