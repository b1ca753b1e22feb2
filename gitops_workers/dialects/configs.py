"""Secrets and ConfigMaps as data: what manifests refer to by name, decoded, with their values hidden from repr."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gitops_workers.core.model import Problem
from gitops_workers.core.render.render_spec import SecretRef
from gitops_workers.core.render.sops import ADVICE
from gitops_workers.dialects.document import Document
from gitops_workers.dialects.field_rules import is_name, is_namespace
from gitops_workers.dialects.fields import ParseContext
from gitops_workers.dialects.messages import shown, type_name

KINDS = ("ConfigMap", "Secret")
DEFAULT_NAMESPACES = ("argocd", "flux-system")
"""What a missing namespace means for Argo CD's and Flux's manifests."""
SECRET_TYPE_LABEL = "argocd.argoproj.io/secret-type"  # noqa: S105  a label's name, no secret
LARGEST_DATA = 1024 * 1024
"""Kubernetes' own limit for a Secret or ConfigMap, in bytes."""


@dataclass(frozen=True, slots=True)
class ConfigObject:
    """A Secret or ConfigMap. `namespace` is "" when its manifest names none."""

    kind: str
    namespace: str
    name: str
    data: Mapping[str, bytes] = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""

    @property
    def secret_type(self) -> str:
        """Argo CD's label: cluster, repository, repo-creds ...; "" for others."""
        return self.labels.get(SECRET_TYPE_LABEL, "")

    @property
    def title(self) -> str:
        """`Secret argocd/prod`, for messages."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def text(self, key: str) -> str:
        """A value as text; "" when it is absent or no UTF-8."""
        try:
            return self.data.get(key, b"").decode()
        except UnicodeDecodeError:
            return ""


def is_config(document: Document) -> bool:
    """Whether the document is a core Secret or ConfigMap."""
    return document.text("apiVersion") == "v1" and document.kind in KINDS


def parse_config(document: Document) -> tuple[ConfigObject | None, list[Problem]]:
    """The object, or what keeps it from being read. No message ever holds a value.

    A Secret that SOPS has encrypted has no values here: they would be taken for the real ones.
    """
    reading = ParseContext(document)
    value = document.value
    name, namespace = document.text("metadata", "name"), document.text("metadata", "namespace")
    if not name:
        reading.error(("metadata", "name"), "the field is missing: set it.")
    elif not is_name(name):
        reading.error(("metadata", "name"), f"found {shown(name)}, allowed is a name of lower-case letters and '-'.")
    if namespace and not is_namespace(namespace):
        reading.error(("metadata", "namespace"), f"found {shown(namespace)}, allowed is a namespace's name.")
    if "sops" in value:
        reading.remark(("sops",), f"the object {ADVICE}. Its values are not available.")
        return None, reading.problems
    data = _decoded(reading, "data" if document.kind == "Secret" else "binaryData")
    data |= _plain(reading, "stringData" if document.kind == "Secret" else "data")
    if sum(len(item) for item in data.values()) > LARGEST_DATA:
        reading.error((), f"the values have more than {LARGEST_DATA} bytes: Kubernetes refuses such an object.")
    if reading.failed:
        return None, reading.problems
    metadata = value["metadata"]
    labels, annotations = _texts(metadata.get("labels")), _texts(metadata.get("annotations"))
    return ConfigObject(document.kind, namespace, name, data, labels, annotations, document.file), reading.problems


def find_config(configs: Iterable[ConfigObject], ref: SecretRef) -> ConfigObject | None:
    """The object a reference names. One without a namespace stands where its dialect's manifests would stand then."""
    matches = {item.namespace: item for item in configs if (item.kind, item.name) == (ref.kind, ref.name)}
    return matches.get(ref.namespace) or (matches.get("") if ref.namespace in DEFAULT_NAMESPACES else None)


def _mapping(reading: ParseContext, key: str) -> dict[str, str]:
    value = reading.document.value.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        reading.error((key,), f"found {type_name(value)}, allowed is a mapping.")
        return {}
    for name, item in value.items():
        if not isinstance(item, str) and item is not None:
            reading.error((key, str(name)), f"found {type_name(item)}, allowed is a text: put it in quotes.")
    return {str(name): item or "" for name, item in value.items() if isinstance(item, str) or item is None}


def _decoded(reading: ParseContext, key: str) -> dict[str, bytes]:
    data = {}
    for name, item in _mapping(reading, key).items():
        try:
            data[name] = base64.b64decode("".join(item.split()), validate=True)
        except (binascii.Error, ValueError):
            reading.error((key, name), "the value is no base64: encode it, or use stringData.")
    return data


def _plain(reading: ParseContext, key: str) -> dict[str, bytes]:
    data = {}
    for name, item in _mapping(reading, key).items():
        try:
            data[name] = item.encode()
        except UnicodeEncodeError:
            reading.error((key, name), "the value is no Unicode text.")
    return data


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {str(key): item for key, item in value.items() if isinstance(item, str)}
