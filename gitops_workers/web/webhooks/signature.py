"""Proofs of origin, compared in constant time and on bytes.

`hmac.compare_digest` raises on text that is not ASCII, and header values are the sender's, so bytes it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from gitops_workers.web.webhooks.event import Body, Headers, unproven

_HEX = frozenset("0123456789abcdef")
_DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


def same(given: str, wanted: bytes) -> bool:
    """Whether a header's value is this secret; how long it takes tells nothing about where they differ."""
    try:
        sent = given.encode("latin-1")  # as the server decoded the header's bytes (ASGI), so these are the bytes again
    except UnicodeEncodeError:
        sent = b""
    return hmac.compare_digest(sent, wanted)


def signature_in(headers: Headers, header: str, allowed: tuple[str, ...]) -> tuple[str, str]:
    """The algorithm and the hexadecimal value of `<algorithm>=<hex>`; Rejected where no body could fit it."""
    given = headers.get(header, "")
    if not given:
        raise unproven(f"the request has no {header}; configure the secret at the provider too")
    algorithm, found, value = given.partition("=")
    if not found or algorithm not in allowed:
        raise unproven(f"{header} does not start with {' or '.join(f'{name}=' for name in allowed)}")
    return algorithm, _hex(header, value, algorithm)


def plain_signature_in(headers: Headers, header: str) -> str:
    """The bare hexadecimal HMAC-SHA256 of Gogs and Gitea; Rejected where no body could fit it."""
    given = headers.get(header, "")
    if not given:
        raise unproven(f"the request has no {header}; configure the secret at the provider too")
    return _hex(header, given, "sha256")


def check_hmac(headers: Headers, header: str, body: Body, secret: bytes, *, allowed: tuple[str, ...]) -> None:
    """Check `<algorithm>=<hex>`, an HMAC over the raw body; Rejected when it is missing or wrong."""
    algorithm, value = signature_in(headers, header, allowed)
    _check(header, value, body, secret, algorithm)


def check_plain_hmac(headers: Headers, header: str, body: Body, secret: bytes) -> None:
    """Check a bare hexadecimal HMAC-SHA256 over the raw body (Gogs, Gitea)."""
    _check(header, plain_signature_in(headers, header), body, secret, "sha256")


def check_token(headers: Headers, header: str, secret: bytes) -> None:
    """Check a header that carries the secret itself (GitLab's token, Bitbucket Cloud's UUID)."""
    if not same(headers.get(header, ""), secret):
        raise unproven(f"{header} is not the configured secret; enter the same one at the provider")


def check_basic(headers: Headers, secret: bytes) -> None:
    """Check HTTP basic authentication against `user:password`."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(value.strip().encode("utf-8", "surrogateescape"), validate=True)
    except binascii.Error:
        given = b""
    if not hmac.compare_digest(given, secret) or scheme.lower() != "basic":
        raise unproven("the user and password are not the configured ones; enter the same at the provider")


def _hex(header: str, value: str, algorithm: str) -> str:
    value = value.lower()
    if len(value) != _DIGESTS[algorithm]().digest_size * 2 or not set(value) <= _HEX:
        raise unproven(f"{header} is no {algorithm} signature of this body and the configured secret")
    return value


def _check(header: str, value: str, body: Body, secret: bytes, algorithm: str) -> None:
    wanted = hmac.new(secret, body, _DIGESTS[algorithm]).hexdigest().encode()
    if not same(value, wanted):
        raise unproven(f"{header} is not of this body and the configured secret; enter the same one there")
