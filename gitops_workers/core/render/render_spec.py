"""How a source becomes objects: the tool and everything that is laid over what stands in Git.

Part of the model (`core.model`): frozen, hashable, sent as JSON.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

OVERRIDES = (".argocd-source.yaml", ".argocd-source-APPLICATION.yaml")
"""Files by which Argo CD overrides a source from within its path (3.5, "Store Overrides in Git"): not done."""


class Tool(enum.StrEnum):
    """What turns a closure into objects."""

    DIRECTORY = "directory"
    KUSTOMIZE = "kustomize"
    HELM = "helm"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A Secret or ConfigMap by place; its values are read late and never stored."""

    kind: str
    namespace: str
    name: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class DirectoryOptions:
    """Argo CD directory source. Globs are relative to the source path; `exclude` is looked at first."""

    recurse: bool = False
    include: str = ""
    exclude: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image override: `new_name`, `new_tag` and `digest` are empty where unchanged."""

    name: str
    new_name: str = ""
    new_tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """A kustomize patch: inline text or a path, and a target selector as sorted (field, value) pairs."""

    patch: str = ""
    path: str = ""
    target: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, bool], ...] = ()


Pairs = tuple[tuple[str, str], ...]


class KustomizeMerge(enum.StrEnum):
    """Whose rules lay options over a kustomization. Flux' also generate one where there is none."""

    ARGOCD = "argocd"
    FLUX = "flux"


@dataclass(frozen=True, slots=True)
class KustomizeOptions:
    """What an application lays over the kustomization it names, by its dialect's merge rules."""

    merge: KustomizeMerge = KustomizeMerge.ARGOCD
    name_prefix: str = ""
    name_suffix: str = ""
    namespace: str = ""
    images: tuple[Image, ...] = ()
    replicas: tuple[tuple[str, int], ...] = ()
    labels: Pairs = ()
    annotations: Pairs = ()
    force_labels: bool = False
    force_annotations: bool = False
    label_without_selector: bool = False
    label_include_templates: bool = False
    annotations_envsubst: bool = False
    patches: tuple[Patch, ...] = ()
    components: tuple[str, ...] = ()
    ignore_missing_components: bool = False
    load_anywhere: bool = False
    """Files beside the kustomization's own root may be read (Argo CD's `kustomize.buildOptions`); Flux always may."""
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HelmParameter:
    """`--set name=value`, or `--set-string` when `force_string`."""

    name: str
    value: str
    force_string: bool = False


@dataclass(frozen=True, slots=True)
class HelmOptions:
    """Argo CD's helm source. Precedence: parameters, values object, values, value files (last wins), chart."""

    release_name: str = ""
    namespace: str = ""
    value_files: tuple[str, ...] = ()
    ignore_missing_value_files: bool = False
    values: str = ""
    values_object: str = ""
    """`valuesObject` as JSON text; beats `values`."""
    parameters: tuple[HelmParameter, ...] = ()
    file_parameters: Pairs = ()
    skip_crds: bool = False
    skip_tests: bool = False
    skip_schema_validation: bool = False
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Substitution:
    """Flux `postBuild`: inline variables win over sources, later sources over earlier ones."""

    variables: Pairs = ()
    sources: tuple[SecretRef, ...] = ()
    always: bool = False
    """`substituteStrategy: Always`: substitute even when there is no variable at all."""


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """How the source becomes objects. `tool` None means: chosen by the files found, as Argo CD does."""

    tool: Tool | None = None
    directory: DirectoryOptions = DirectoryOptions()
    kustomize: KustomizeOptions = KustomizeOptions()
    helm: HelmOptions = HelmOptions()
    substitution: Substitution | None = None
    common_labels: Pairs = ()
    common_annotations: Pairs = ()
    """Flux `commonMetadata`, laid over every object's metadata after the build."""
    last_object: bool = False
    """Of an object that stands twice the last counts, as in Argo CD; else that is refused."""
