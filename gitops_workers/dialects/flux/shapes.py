"""The fields of a Flux Kustomization (kustomize.toolkit.fluxcd.io/v1), with what this version does not do yet."""

# pydantic gives every instance its own copy of a mutable default.
# ruff: noqa: RUF012

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from gitops_workers.core.text.substitution import NAME
from gitops_workers.dialects.durations import Interval, Timeout
from gitops_workers.dialects.field_rules import Name, Namespace, Plain, Pointer, one_of
from gitops_workers.dialects.fields import ManifestModel, Unsupported
from gitops_workers.dialects.flux.deletion_policy import DELETE, MIRROR, ORPHAN, WAIT
from gitops_workers.dialects.kustomize import SafeTarget, Target
from gitops_workers.dialects.messages import wrong
from gitops_workers.dialects.metadata import Object


def _variables(values: dict[str, str]) -> dict[str, str]:
    for name in values:
        if not NAME.fullmatch(name):
            raise wrong(name, "a variable name of letters, digits and '_' that does not start with a digit")
    return values


class SourceRef(ManifestModel):
    """`spec.sourceRef`."""

    api_version: str = ""
    kind: Annotated[str, one_of("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact")]
    name: Name
    namespace: Namespace = ""


class ImageShape(ManifestModel):
    """`spec.images[]`."""

    name: str
    new_name: str = ""
    new_tag: str = ""
    digest: str = ""


class PatchShape(ManifestModel):
    """`spec.patches[]`: inline only, unlike kustomize's own."""

    patch: str
    target: Target | None = None


class CommonMetadata(ManifestModel):
    """`spec.commonMetadata`."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class SubstituteReference(ManifestModel):
    """`postBuild.substituteFrom[]`."""

    kind: Annotated[str, one_of("ConfigMap", "Secret")]
    name: Name
    optional: bool = False


class PostBuild(ManifestModel):
    """`spec.postBuild`."""

    substitute: Annotated[dict[str, str], AfterValidator(_variables)] = {}
    substitute_from: list[SubstituteReference] = []
    substitute_strategy: Annotated[str, one_of("", "WithVariables", "Always")] = ""


class HealthCheck(ManifestModel):
    """`spec.healthChecks[]`; without apiVersion it is apps/v1."""

    api_version: Plain = "apps/v1"
    kind: str
    name: str
    namespace: Namespace = ""


class IgnoreTarget(ManifestModel):
    """`spec.ignore[]`: fields by JSON pointer, in the objects that the target selects."""

    paths: list[Pointer]
    target: SafeTarget | None = None


class HealthCheckExpression(ManifestModel):
    """`spec.healthCheckExprs[]`; without kind it is for the whole group."""

    api_version: Plain
    kind: str = ""
    current: str
    in_progress: str = ""
    failed: str = ""


class DependencyReference(ManifestModel):
    """`spec.dependsOn[]`: another Kustomization, of the same namespace if it names none."""

    name: Name
    namespace: Namespace = ""
    ready_expr: str = ""


class KustomizationSpec(ManifestModel):
    """`spec`."""

    source_ref: SourceRef | None = None
    path: str = ""
    interval: Interval | None = None
    retry_interval: Interval | None = None
    timeout: Timeout | None = None
    prune: bool = False
    suspend: bool = False
    force: bool = False
    wait: bool = False
    target_namespace: Namespace = ""
    name_prefix: str = ""
    name_suffix: str = ""
    images: list[ImageShape] = []
    patches: list[PatchShape] = []
    components: list[str] = []
    ignore_missing_components: bool = False
    common_metadata: CommonMetadata = CommonMetadata()
    post_build: PostBuild | None = None
    health_checks: list[HealthCheck] = []
    depends_on: list[DependencyReference] = []
    decryption: Annotated[Any, Unsupported("decryption", refuses=True)] = None
    kube_config: Annotated[Any, Unsupported("another cluster by kubeConfig", refuses=True)] = None
    service_account_name: Annotated[Any, Unsupported("acting as a service account", refuses=True)] = None
    ignore: list[IgnoreTarget] = []
    build_metadata: Annotated[Any, Unsupported("build metadata in annotations", refuses=True)] = None
    deletion_policy: Annotated[str, one_of("", MIRROR, DELETE, WAIT, ORPHAN)] = ""
    health_check_exprs: list[HealthCheckExpression] = []


class KustomizationShape(Object):
    """The whole manifest."""

    spec: KustomizationSpec = KustomizationSpec()
