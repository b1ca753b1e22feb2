"""The fields of an Argo CD Application (argoproj.io/v1alpha1), with what this version does not do yet."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from gitops_workers.dialects.argocd.ignore import IgnoreShape
from gitops_workers.dialects.durations import Backoff
from gitops_workers.dialects.field_rules import Namespace, Plain, whole
from gitops_workers.dialects.fields import ManifestModel, Unsupported
from gitops_workers.dialects.kustomize import Target
from gitops_workers.dialects.messages import wrong
from gitops_workers.dialects.metadata import Object

COUNT = 1_000_000
"""No counter in a manifest means anything beyond a million (T27)."""


def _count(value: Any) -> Any:
    """Kubernetes' IntOrString: `"3"` is 3."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise wrong(value, "a whole number")
        return int(value)
    return value


class Parameter(ManifestModel):
    """`helm.parameters[]`."""

    name: str
    value: str = ""
    force_string: bool = False


class FileParameter(ManifestModel):
    """`helm.fileParameters[]`."""

    name: str
    path: str


class Helm(ManifestModel):
    """`source.helm`."""

    release_name: Plain = ""
    namespace: Namespace = ""
    value_files: list[str] = []
    ignore_missing_value_files: bool = False
    values: str = ""
    values_object: dict[str, Any] = {}
    parameters: list[Parameter] = []
    file_parameters: list[FileParameter] = []
    skip_crds: bool = False
    skip_tests: bool = False
    skip_schema_validation: bool = False
    kube_version: Plain = ""
    api_versions: list[Plain] = []
    version: Annotated[Any, Unsupported("choosing a version of Helm", same=("v3", "v4"))] = None
    pass_credentials: Annotated[Any, Unsupported("passing credentials on to other hosts")] = None


class KustomizePatch(ManifestModel):
    """A kustomize patch, inline or by path."""

    patch: str = ""
    path: str = ""
    target: Target | None = None
    options: dict[str, bool] = {}


class Replica(ManifestModel):
    """`kustomize.replicas[]`; the count may be a text of digits."""

    name: str
    count: Annotated[int, BeforeValidator(_count), whole(0, COUNT)]


class Kustomize(ManifestModel):
    """`source.kustomize`."""

    name_prefix: str = ""
    name_suffix: str = ""
    images: list[str] = []
    common_labels: dict[str, str] = {}
    common_annotations: dict[str, str] = {}
    force_common_labels: bool = False
    force_common_annotations: bool = False
    label_without_selector: bool = False
    label_include_templates: bool = False
    common_annotations_envsubst: bool = False
    namespace: Namespace = ""
    replicas: list[Replica] = []
    patches: list[KustomizePatch] = []
    components: list[str] = []
    ignore_missing_components: bool = False
    kube_version: Plain = ""
    api_versions: list[Plain] = []
    version: Annotated[Any, Unsupported("choosing a version of kustomize")] = None


class Directory(ManifestModel):
    """`source.directory`."""

    recurse: bool = False
    include: str = ""
    exclude: str = ""
    jsonnet: Annotated[Any, Unsupported("Jsonnet", refuses=True)] = None
    disable_extension_filter: Annotated[Any, Unsupported("reading files of every extension", refuses=True)] = None


class Source(ManifestModel):
    """`spec.source`."""

    repo_url: str = Field("", alias="repoURL")
    path: str = ""
    target_revision: Plain = ""
    helm: Helm | None = None
    kustomize: Kustomize | None = None
    directory: Directory | None = None
    name: str = ""
    chart: Annotated[Any, Unsupported("a chart from a Helm repository", refuses=True)] = None
    plugin: Annotated[Any, Unsupported("rendering by a plugin", refuses=True)] = None
    tag_prefix: Annotated[Any, Unsupported("choosing tags by prefix", refuses=True)] = None
    ref: Annotated[Any, Unsupported("a name for other sources to refer to")] = None


class Destination(ManifestModel):
    """`spec.destination`: exactly one of server and name."""

    server: str = ""
    name: str = ""
    namespace: Namespace = ""


class Automated(ManifestModel):
    """`syncPolicy.automated`: its presence turns automated sync on."""

    enabled: bool = True
    prune: bool = False
    self_heal: bool = False
    allow_empty: bool = False


class BackoffShape(ManifestModel):
    """`retry.backoff`."""

    duration: Backoff = 5.0
    factor: Annotated[int, whole(1, 100)] = 2
    max_duration: Backoff = 180.0


class RetryShape(ManifestModel):
    """`syncPolicy.retry`; a missing limit is 0, as in Argo CD.

    Every attempt resolves the revision anew, which is `refresh: true`: a retry that clings to the commit that failed
    never sees its repair. What is running can be finished first (see `dialects.annotations`).
    """

    limit: Annotated[int, whole(-1, COUNT)] = 0
    refresh: bool = False
    backoff: BackoffShape = BackoffShape()


class NamespaceMetadata(ManifestModel):
    """`syncPolicy.managedNamespaceMetadata`, for the namespace that CreateNamespace makes."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Policy(ManifestModel):
    """`spec.syncPolicy`."""

    automated: Automated | None = None
    sync_options: list[str] = []
    retry: RetryShape | None = None
    managed_namespace_metadata: NamespaceMetadata = NamespaceMetadata()


class Hydrator(ManifestModel):
    """`spec.sourceHydrator`: only what a listing shows of it."""

    dry_source: Source | None = None


class Spec(ManifestModel):
    """`spec`. `sources` with one member is the same as `source`."""

    project: str = ""
    source: Source | None = None
    sources: list[Source] = []
    destination: Destination | None = None
    sync_policy: Policy = Policy()
    revision_history_limit: Annotated[int, whole(0, 500)] = 10
    ignore_differences: list[IgnoreShape] = []
    source_hydrator: Annotated[Hydrator | None, Unsupported("hydrating into a branch", refuses=True)] = None
    info: Annotated[Any, Unsupported("information beside the application")] = None


class ApplicationShape(Object):
    """The whole manifest."""

    spec: Spec = Spec()
    operation: Annotated[Any, Unsupported("starting a sync by writing `operation`")] = None
