"""A Flux GitRepository: where a Kustomization's files come from, and how often to look."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from gitops_workers.core.model import Condition, GitSource, RevisionKind, RevisionSpec
from gitops_workers.core.render.render_spec import Pairs, SecretRef
from gitops_workers.dialects.durations import Interval, Timeout
from gitops_workers.dialects.fields import ManifestModel, Name, ParseContext, Plain, Unsupported, matching, pairs
from gitops_workers.dialects.flux import INTERVAL, NAMESPACE
from gitops_workers.dialects.metadata import Object
from gitops_workers.dialects.repo_url import url_problem

_COMMIT = re.compile(r"[0-9a-f]{7,40}|[0-9a-f]{64}")


class Ref(ManifestModel):
    """`spec.ref`; of several forms set, commit beats name, name beats tag, tag beats semver, semver beats branch."""

    branch: Plain = ""
    tag: Plain = ""
    semver: Plain = ""
    name: Annotated[
        str,
        matching(
            lambda text: re.fullmatch(r"refs/[^\s~^:?*\[\\\x00-\x1f\x7f]+", text), "a full ref such as refs/heads/main"
        ),
    ] = ""
    commit: Annotated[str, matching(_COMMIT.fullmatch, "7 to 40 (or 64) lower-case hex digits")] = ""


class LocalReference(ManifestModel):
    """A Secret, ServiceAccount ... of the same namespace."""

    name: Name


class GitRepositorySpec(ManifestModel):
    """`spec`."""

    url: str = ""
    ref: Ref | None = None
    interval: Interval | None = None
    timeout: Timeout = 60.0
    secret_ref: LocalReference | None = None
    ignore: str | None = None
    suspend: bool = False
    verify: Annotated[Any, Unsupported("verifying signatures", refuses=True)] = None
    include: Annotated[Any, Unsupported("including other repositories", refuses=True)] = None
    recurse_submodules: bool = False
    sparse_checkout: Annotated[Any, Unsupported("a sparse checkout")] = None
    provider: Annotated[Any, Unsupported("authentication by a cloud provider", same=("generic",))] = None
    proxy_secret_ref: Annotated[Any, Unsupported("fetching through a proxy")] = None
    service_account_name: Annotated[Any, Unsupported("authentication by a service account")] = None


class GitRepositoryShape(Object):
    """The whole manifest (source.toolkit.fluxcd.io/v1)."""

    spec: GitRepositorySpec = GitRepositorySpec()


@dataclass(frozen=True, slots=True)
class SourceKey:
    """What a Kustomization's sourceRef names."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`GitRepository flux-system/apps`, for messages."""
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Repository:
    """A GitRepository: the source without a path, and what it hands on to its Kustomizations."""

    key: SourceKey
    source: GitSource
    interval: float
    suspended: bool = False
    labels: Pairs = ()
    conditions: tuple[Condition, ...] = ()
    refusal: str = ""


def parse_repository(reading: ParseContext, default_interval: float = INTERVAL) -> Repository | None:
    """The repository, None when the document has an error; the reading then holds all of them.

    `default_interval`: seconds where the manifest names none.
    """
    shape = reading.shape(GitRepositoryShape)
    if shape is None:
        return None
    metadata, spec = shape.metadata, shape.spec
    namespace = metadata.namespace or NAMESPACE
    if not reading.wrong_at(("spec", "url")) and (problem := url_problem(spec.url, scp=False)):
        reading.error(("spec", "url"), problem)
    if reading.failed:
        return None
    credential = SecretRef("Secret", namespace, spec.secret_ref.name) if spec.secret_ref else None
    key = SourceKey("GitRepository", namespace, metadata.name)
    return Repository(
        key=key,
        source=GitSource(
            spec.url,
            revision(spec.ref),
            credential=credential,
            ignore=spec.ignore,
            timeout=spec.timeout,
            submodules=spec.recurse_submodules,
        ),
        interval=spec.interval or default_interval,
        suspended=spec.suspend,
        labels=pairs(metadata.labels),
        conditions=tuple(Condition(item.type, f"{key}: {item.message}") for item in reading.conditions),
        refusal=" ".join(f"{key}: {text}" for text in reading.refusals),
    )


def revision(ref: Ref | None) -> RevisionSpec:
    """Which revision a ref wants: the precedence of Flux's code (its documents put semver above tag); else `master`."""
    ref = ref or Ref()
    if ref.commit:
        return RevisionSpec(RevisionKind.COMMIT, ref.commit, ref.branch or None)
    for kind, value in (
        (RevisionKind.NAME, ref.name),
        (RevisionKind.TAG, ref.tag),
        (RevisionKind.SEMVER, ref.semver),
    ):
        if value:
            return RevisionSpec(kind, value)
    return RevisionSpec(RevisionKind.BRANCH, ref.branch or "master")
