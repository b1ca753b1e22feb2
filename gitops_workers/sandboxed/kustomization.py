"""What an application lays over the kustomization it names. Pure: a parsed file in, a parsed file out.

Two sets of rules: Argo CD's are those of `kustomize edit` (prefix, suffix, images, replicas, labels, annotations,
namespace, patches, components, in this order), Flux' are kustomize-controller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitops_workers.core.errors import RenderFailed

Content = dict[str, Any]


def argocd(content: Content, options: Mapping[str, Any], exists: Callable[[str], bool]) -> Content:
    """Merge as Argo CD does. `exists` says whether a component's folder is there."""
    result = dict(content)
    for field, option in (("namePrefix", "name_prefix"), ("nameSuffix", "name_suffix")):
        if options[option]:
            result[field] = options[option]
    if options["images"]:
        ours = {image["name"]: image for image in map(_image, options["images"])}
        theirs = {image.get("name"): image for image in _list(result, "images")}
        for name, image in ours.items():  # `*` keeps what the file says
            kept = theirs.get(name) or {}
            for field in ("newName", "newTag", "digest"):
                if image.get(field) == "*":
                    image[field] = kept.get(field, "")
        result["images"] = [image for _, image in sorted({**theirs, **ours}.items(), key=lambda item: str(item[0]))]
    if options["replicas"]:
        counts = {item.get("name"): item for item in _list(result, "replicas")}
        counts.update({name: {"name": name, "count": count} for name, count in options["replicas"]})
        result["replicas"] = list(counts.values())
    _add_labels(result, options)
    if options["annotations"]:
        annotations = dict(result.get("commonAnnotations") or {})
        _add_pairs(annotations, options["annotations"], options["force_annotations"], "annotation")
        result["commonAnnotations"] = annotations
    if options["namespace"]:
        result["namespace"] = options["namespace"]
    _append(result, options, exists)
    return result


def flux(content: Content, options: Mapping[str, Any], exists: Callable[[str], bool]) -> Content:
    """Merge as Flux does: texts overwrite, patches and components are appended, images merge by name."""
    result = dict(content)
    for field, option in (("namespace", "namespace"), ("namePrefix", "name_prefix"), ("nameSuffix", "name_suffix")):
        if options[option]:
            result[field] = options[option]
    if options["images"]:
        images = [dict(image) for image in _list(result, "images")]
        for ours in map(_image, options["images"]):
            theirs = next((image for image in images if image.get("name") == ours["name"]), None)
            if theirs is None:
                images.append(ours)
                continue
            if "newTag" in ours or "digest" in ours:  # one unit: a new tag beside an old digest would change nothing
                theirs.pop("newTag", None)
                theirs.pop("digest", None)
            theirs.update(ours)
        result["images"] = images
    _append(result, options, exists)
    return result


def _append(result: Content, options: Mapping[str, Any], exists: Callable[[str], bool]) -> None:
    if options["patches"]:
        result["patches"] = [*_list(result, "patches"), *map(_patch, options["patches"])]
    if options["components"]:
        present = result.get("components") or []
        wanted = [item for item in options["components"] if not options["ignore_missing_components"] or exists(item)]
        result["components"] = [*present, *(item for item in wanted if item not in present)]


def _add_labels(result: Content, options: Mapping[str, Any]) -> None:
    if not options["labels"]:
        return
    templates = options["label_include_templates"]
    if not options["label_without_selector"]:
        if templates:
            raise RenderFailed("kustomize.labelIncludeTemplates needs labelWithoutSelector: true beside it")
        labels = dict(result.get("commonLabels") or {})
        _add_pairs(labels, options["labels"], options["force_labels"], "label")
        result["commonLabels"] = labels
        return
    entries = [dict(entry) for entry in _list(result, "labels")]
    fitting = [
        entry
        for entry in entries
        if not entry.get("includeSelectors") and bool(entry.get("includeTemplates")) == bool(templates)
    ]
    target: Content = fitting[0] if fitting else {"pairs": {}, **({"includeTemplates": True} if templates else {})}
    target["pairs"] = dict(target.get("pairs") or {})
    _add_pairs(target["pairs"], options["labels"], options["force_labels"], "label")
    result["labels"] = entries if fitting else [*entries, target]


def _add_pairs(target: dict[str, Any], pairs: Sequence[Sequence[str]], force: bool, what: str) -> None:
    for name, value in pairs:
        if name in target and not force:
            raise RenderFailed(
                f"the kustomization already has the {what} {name!r}; set forceCommon{what.capitalize()}s: true "
                "to replace it"
            )
        target[name] = value


def _image(image: Mapping[str, str]) -> Content:
    named = {"name": image["name"], "newName": image["new_name"], "newTag": image["new_tag"], "digest": image["digest"]}
    return {field: value for field, value in named.items() if value}


def _patch(patch: Mapping[str, Any]) -> Content:
    result: Content = {field: patch[field] for field in ("patch", "path") if patch[field]}
    for field in ("target", "options"):
        if patch[field]:
            result[field] = dict(patch[field])
    return result


def _list(content: Content, field: str) -> list[Any]:
    values = content.get(field) or []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise RenderFailed(f"the kustomization's {field} must be a list of mappings")
    return values
