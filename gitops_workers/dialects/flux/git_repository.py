"""A Flux GitRepository: where a Kustomization's files come from, and how often to look."""

from __future__ import annotations

import re
from typing import Annotated, Any

from gitops_workers.core.model import Condition, Dialect, RevisionKind, RevisionSpec, SourceSpec
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.dialects.durations import Interval, Timeout
from gitops_workers.dialects.field_rules import Plain, matching
from gitops_workers.dialects.fields import ManifestModel, ParseContext, Unsupported, pairs
from gitops_workers.dialects.flux import NAMESPACE
from gitops_workers.dialects.flux.sources import DeclaredSource, LocalReference, SourceKey
from gitops_workers.dialects.manifest_kind import Contribution, ManifestKind, References
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


def parse(reading: ParseContext, references: References) -> tuple[DeclaredSource, ...]:
    """The repository; none when the document has an error."""
    shape = reading.shape(GitRepositoryShape)
    if shape is None:
        return ()
    metadata, spec = shape.metadata, shape.spec
    namespace = metadata.namespace or NAMESPACE
    if not reading.wrong_at(("spec", "url")) and (problem := url_problem(spec.url, scp=False)):
        reading.error(("spec", "url"), problem)
    if reading.failed:
        return ()
    credential = SecretRef("Secret", namespace, spec.secret_ref.name) if spec.secret_ref else None
    key = SourceKey("GitRepository", namespace, metadata.name)
    declared = DeclaredSource(
        key=key,
        source=SourceSpec(
            spec.url,
            revision(spec.ref),
            credential=credential,
            ignore=spec.ignore,
            timeout=spec.timeout,
            submodules=spec.recurse_submodules,
        ),
        interval=spec.interval or references.flux_interval,
        suspended=spec.suspend,
        labels=pairs(metadata.labels),
        conditions=tuple(Condition(item.type, f"{key}: {item.message}") for item in reading.conditions),
        refusal=" ".join(f"{key}: {text}" for text in reading.refusals),
    )
    return (declared,)


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


KIND = ManifestKind(
    dialect=Dialect.FLUX,
    group="source.toolkit.fluxcd.io",
    kind="GitRepository",
    versions=("v1",),
    namespace=NAMESPACE,
    model=GitRepositoryShape,
    contributes=Contribution.SOURCE,
    parse=parse,
)
