"""Proofs of origin, compared in constant time and on bytes.

`hmac.compare_digest` raises on text that is not ASCII, and header values are the sender's, so bytes it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from gitops_workers.web.webhooks.event import Headers, Rejected

_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


def same(given: str, wanted: bytes) -> bool:
    """Whether a header's value is this secret; how long it takes tells nothing about where they differ."""
    try:
        sent = given.encode("latin-1")  # as the server decoded the header's bytes (ASGI), so these are the bytes again
    except UnicodeEncodeError:
        sent = b""
    return hmac.compare_digest(sent, wanted)


def check_hmac(headers: Headers, header: str, body: bytes, secret: bytes, *, allowed: tuple[str, ...]) -> None:
    """Check `<algorithm>=<hex>`, an HMAC over the raw body; Rejected (401) when it is missing or wrong."""
    given = headers.get(header, "")
    if not given:
        raise Rejected(f"the request has no {header}; configure the secret at the provider too", 401)
    algorithm, found, value = given.partition("=")
    if not found or algorithm not in allowed:
        raise Rejected(f"{header} does not start with {' or '.join(f'{name}=' for name in allowed)}", 401)
    _check_hex(header, value, body, secret, algorithm)


def check_plain_hmac(headers: Headers, header: str, body: bytes, secret: bytes) -> None:
    """Check a bare hexadecimal HMAC-SHA256 over the raw body (Gogs, Gitea)."""
    given = headers.get(header, "")
    if not given:
        raise Rejected(f"the request has no {header}; configure the secret at the provider too", 401)
    _check_hex(header, given, body, secret, "sha256")


def check_token(headers: Headers, header: str, secret: bytes) -> None:
    """Check a header that carries the secret itself (GitLab's token, Bitbucket Cloud's UUID)."""
    if not same(headers.get(header, ""), secret):
        raise Rejected(f"{header} is not the configured secret; enter the same one at the provider", 401)


def check_basic(headers: Headers, secret: bytes) -> None:
    """Check HTTP basic authentication against `user:password`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(value.strip().encode("utf-8", "surrogateescape"), validate=True)
    except binascii.Error:
        given = b""
    if not hmac.compare_digest(given, secret) or scheme.lower() != "basic":
        raise Rejected("the user and password are not the configured ones; enter the same at the provider", 401)


def _check_hex(header: str, value: str, body: bytes, secret: bytes, algorithm: str) -> None:
    wanted = hmac.new(secret, body, _DIGESTS[algorithm]).hexdigest().encode()
    if not same(value.lower(), wanted):
        raise Rejected(f"{header} is not of this body and the configured secret; enter the same one there", 401)
