"""The webhook address of a Flux Receiver, made alike by whoever saves it and whoever serves it."""

from __future__ import annotations

import hashlib

PREFIX = "/hook/"


def hook_hash(token: bytes, name: str, namespace: str) -> str:
    """The last part of the path: SHA-256 over the token's bytes, name and namespace in a row (Flux 2.9).

    >>> hook_hash(b"te", "st", "1") == hook_hash(b"t", "est", "1")
    True
    """
    return hashlib.sha256(token + name.encode() + namespace.encode()).hexdigest()
