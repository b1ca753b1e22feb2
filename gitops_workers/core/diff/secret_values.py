"""What a Secret holds, and every spelling in which a text could quote one of its values."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gitops_workers.core.objects import Manifest

SHORTEST: Final = 4
"""Characters from which on a value is looked for in texts: shorter ones are found in every sentence."""

_LINE: Final = 8
"""Characters from which on a single line of a value is looked for: a server may quote one line of a key."""

OPEN_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "type", "immutable"})
"""The fields of a Secret that may be shown. Anything else, such as a misspelt `stringdata`, is a value."""


def is_secret(manifest: Manifest | None) -> bool:
    """A Secret of the core group, in any version."""
    return manifest is not None and manifest.get("kind") == "Secret" and "/" not in str(manifest.get("apiVersion"))


def decoded(value: Any) -> bytes:
    """The bytes behind base64, marked so that invalid base64 is never equal to a value that reads the same."""
    if isinstance(value, str):
        try:
            return b"=" + base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            pass
    return raw(value)


def spellings(manifests: Iterable[Manifest]) -> list[str]:
    """Every spelling in which a value of these Secrets could be quoted."""
    found: set[str] = set()
    for manifest in manifests:
        nested = manifest.get("items")
        for each in (manifest, *(nested if isinstance(nested, list) else [])):
            if isinstance(each, dict) and (is_secret(each) or manifest.get("kind") == "SecretList"):
                found.update(_of_secret(each))
    return sorted(form for form in found if len(form) >= SHORTEST and form.strip())


def _of_secret(secret: Manifest) -> Iterator[str]:
    for field, content in secret.items():
        if field in OPEN_FIELDS:
            continue
        for value in _leaves(content):
            yield from _encodings(value.encode(errors="surrogatepass"))
            plain = decoded(value) if field == "data" else b""
            if plain.startswith(b"="):
                yield from _encodings(plain[1:])


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a value of any shape."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield value if isinstance(value, str) else json.dumps(value, default=str)


def _encodings(plain: bytes) -> Iterator[str]:
    for encoded in (base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
        yield encoded.decode()
        yield encoded.decode().rstrip("=")
    yield plain.hex()
    try:
        content = plain.decode()
    except UnicodeDecodeError:
        return
    yield from _quotings(content)
    yield from _quotings(content.strip())
    for line in content.splitlines():
        if len(line.strip()) >= _LINE:
            yield from _quotings(line.strip())


def _quotings(content: str) -> Iterator[str]:
    """As it is and as JSON and Go write it inside quotes."""
    yield content
    yield json.dumps(content, ensure_ascii=False)[1:-1]
    yield json.dumps(content)[1:-1]


def raw(value: Any) -> bytes:
    """The bytes of a value that stands there as it is."""
    return b"!" + json.dumps(value, sort_keys=True, default=str).encode()
