"""An Argo CD source: which repository and revision, and what turns it into objects."""

from __future__ import annotations

from gitops_workers.core.model import RevisionKind, RevisionSpec, SourceSpec
from gitops_workers.core.objects import canonical
from gitops_workers.core.render.render_spec import (
    DirectoryOptions,
    HelmOptions,
    HelmParameter,
    Image,
    KustomizeOptions,
    Patch,
    RenderSpec,
    Tool,
)
from gitops_workers.dialects.argocd.shapes import Helm, Kustomize, KustomizePatch, Source
from gitops_workers.dialects.document import Path
from gitops_workers.dialects.fields import ParseContext, pairs
from gitops_workers.dialects.kustomize import components
from gitops_workers.dialects.messages import shown
from gitops_workers.dialects.repo_url import PATH_ALLOWED, normal_path, url_problem


def git_source(reading: ParseContext, path: Path, source: Source) -> SourceSpec:
    """Where the files come from; what is wrong with it is an error of the reading."""
    if source.repo_url.startswith("oci://"):
        reading.refuse((*path, "repoURL"), "an OCI artifact as source is not done by this version.")
    elif not source.chart and (problem := url_problem(source.repo_url, scp=True)):
        reading.error((*path, "repoURL"), problem)
    folder = normal_path(source.path)
    if folder is None:
        reading.error((*path, "path"), f"found {shown(source.path)}, allowed is {PATH_ALLOWED}.")
    elif not source.path and not source.chart:
        reading.error((*path, "path"), f"the field is missing: name {PATH_ALLOWED} (`.` is the root).")
    revision = RevisionSpec(RevisionKind.ARGOCD, source.target_revision.strip())
    return SourceSpec(source.repo_url, revision, folder or ".")


def render_spec(reading: ParseContext, path: Path, source: Source) -> RenderSpec:
    """What makes objects of the files. An empty tool block chooses nothing, as in Argo CD."""
    blocks: dict[Tool, object] = {
        Tool.HELM: source.helm != Helm() and source.helm,
        Tool.KUSTOMIZE: source.kustomize != Kustomize() and source.kustomize,
        Tool.DIRECTORY: source.directory is not None
        and (source.directory.recurse or source.directory.include or source.directory.exclude),
    }
    chosen = [tool for tool, block in blocks.items() if block]
    if len(chosen) > 1:
        found = " and ".join(tool.value for tool in chosen)
        reading.error(path, f"found {found} together, allowed is one of helm, kustomize, directory and plugin.")
    directory = DirectoryOptions()
    if source.directory is not None:
        block = source.directory
        directory = DirectoryOptions(recurse=block.recurse, include=block.include, exclude=block.exclude)
    return RenderSpec(
        tool=chosen[0] if chosen else None,
        directory=directory,
        kustomize=_kustomize(reading, (*path, "kustomize"), source.kustomize or Kustomize()),
        helm=_helm(reading, path, source),
    )


def _helm(reading: ParseContext, path: Path, source: Source) -> HelmOptions:
    helm = source.helm or Helm()
    for index, name in enumerate(helm.value_files):
        _inside(reading, (*path, "helm", "valueFiles", index), source.path, name)
    for index, parameter in enumerate(helm.file_parameters):
        _inside(reading, (*path, "helm", "fileParameters", index, "path"), source.path, parameter.path)
    return HelmOptions(
        release_name=helm.release_name,
        namespace=helm.namespace,
        value_files=tuple(helm.value_files),
        ignore_missing_value_files=helm.ignore_missing_value_files,
        values=helm.values,
        values_object=canonical(helm.values_object).decode() if helm.values_object else "",
        parameters=tuple(HelmParameter(item.name, item.value, item.force_string) for item in helm.parameters),
        file_parameters=tuple((item.name, item.path) for item in helm.file_parameters),
        skip_crds=helm.skip_crds,
        skip_tests=helm.skip_tests,
        skip_schema_validation=helm.skip_schema_validation,
        kube_version=helm.kube_version,
        api_versions=tuple(helm.api_versions),
    )


def _inside(reading: ParseContext, path: Path, folder: str, name: str) -> None:
    """A value file is relative to the source's path, or to the repository's root when it starts with `/`."""
    if "://" in name or name.startswith("$"):
        return
    place = name.lstrip("/") if name.startswith("/") else f"{folder}/{name}"
    if not name or normal_path(place) is None:
        reading.error(path, f"found {shown(name)}, allowed is a file inside the repository.")


def _kustomize(reading: ParseContext, path: Path, block: Kustomize) -> KustomizeOptions:
    images = []
    for index, text in enumerate(block.images):
        if (image := parse_image(text)) is None:
            allowed = "NAME:TAG, NAME@DIGEST, NAME=NEWNAME or NAME=NEWNAME:TAG"
            reading.error((*path, "images", index), f"found {shown(text)}, allowed is {allowed}.")
        else:
            images.append(image)
    return KustomizeOptions(
        name_prefix=block.name_prefix,
        name_suffix=block.name_suffix,
        namespace=block.namespace,
        images=tuple(images),
        replicas=tuple((item.name, item.count) for item in block.replicas),
        labels=pairs(block.common_labels),
        annotations=pairs(block.common_annotations),
        force_labels=block.force_common_labels,
        force_annotations=block.force_common_annotations,
        label_without_selector=block.label_without_selector,
        label_include_templates=block.label_include_templates,
        annotations_envsubst=block.common_annotations_envsubst,
        patches=_patches(reading, (*path, "patches"), block.patches),
        components=components(reading, (*path, "components"), block.components),
        ignore_missing_components=block.ignore_missing_components,
        kube_version=block.kube_version,
        api_versions=tuple(block.api_versions),
    )


def parse_image(text: str) -> Image | None:
    """An override as `kustomize edit set image` takes it; None when it is none. `*` leaves the name as it is.

    >>> parse_image("app=registry:5000/team/app:v2")
    Image(name='app', new_name='registry:5000/team/app', new_tag='v2', digest='')
    """
    name, renamed, rest = text.partition("=")
    reference, _, digest = (rest if renamed else name).partition("@")
    folder, slash, last = reference.rpartition("/")
    last, colon, tag = last.partition(":")
    new_name = f"{folder}{slash}{last}"
    if not renamed:
        name, new_name = new_name, ""
    if not name or not (new_name or tag or digest) or (colon and not tag) or any(char.isspace() for char in text):
        return None
    return Image(name, "" if new_name == "*" else new_name, tag, digest)


def _patches(reading: ParseContext, path: Path, shapes: list[KustomizePatch]) -> tuple[Patch, ...]:
    for index, item in enumerate(shapes):
        if bool(item.patch) == bool(item.path):
            reading.error((*path, index), "allowed is exactly one of patch and path.")
    return tuple(
        Patch(
            patch=item.patch,
            path=item.path,
            target=item.target.pairs() if item.target else (),
            options=tuple(sorted(item.options.items())),
        )
        for item in shapes
    )
