"""Recognises what SOPS has encrypted, by the marks that Flux' kustomize-controller goes by (flux.md 1.4). Pure.

Nothing is decrypted by this version, and cipher text that reaches a cluster is either refused there in words that name
no cause, or read by a program as if it were the secret. So it is named before anything is applied.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

ADVICE = (
    "is encrypted by SOPS, and nothing is decrypted by this version: keep the secret in the cluster by another way "
    "(External Secrets, Sealed Secrets), or leave the file out"
)
"""The end of every message about it."""

_KEEP = "kustomize.toolkit.fluxcd.io/decrypt"
_MARKS = re.compile(
    rb'"mac"\s*:\s*"ENC\[|^\s*mac:\s*["\']?ENC\[|^sops_mac\s*=\s*["\']?ENC\[|^\[sops\]\s*$', re.MULTILINE
)
"""JSON and binary files; YAML; dotenv; INI."""
_VALUE = b"ENC[AES256_GCM,data:"
"""How each encrypted value begins: a generator makes a key of every line of a dotenv file."""


def is_encrypted(value: Any) -> bool:
    """Whether a parsed YAML or JSON document is one that SOPS wrote: as a whole, whatever its kind is."""
    metadata = value.get("sops") if isinstance(value, Mapping) else None
    return isinstance(metadata, Mapping) and "mac" in metadata


def bears_marks(data: bytes) -> bool:
    """Whether the content of a file is what SOPS wrote, in any of its formats."""
    return b"ENC[" in data and _MARKS.search(data) is not None


def encrypted_key(manifest: Mapping[str, Any]) -> str:
    """The key of a Secret whose value is a file that SOPS wrote; "" where there is none.

    A value may be meant to stay encrypted: Flux' annotation `decrypt: disabled` says so. A ConfigMap may hold one.
    """
    if manifest.get("kind") != "Secret" or manifest.get("apiVersion") != "v1" or _kept(manifest):
        return ""
    for field, value_of in (("data", _decoded), ("stringData", _text)):
        values = manifest.get(field)
        for key, value in values.items() if isinstance(values, Mapping) else ():
            content = value_of(value) if isinstance(value, str) else b""
            if content.startswith(_VALUE) or bears_marks(content):
                return f"{field}.{key}"
    return ""


def _kept(manifest: Mapping[str, Any]) -> bool:
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    value = annotations.get(_KEEP) if isinstance(annotations, Mapping) else None
    return isinstance(value, str) and value.lower() == "disabled"


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return b""


def _text(value: str) -> bytes:
    return value.encode("utf-8", "replace")
