"""What a browser may load and run on Flower's pages: ours and Flower's files, and nothing that somebody else put there.

Flower sends no Content-Security-Policy. Its pages have one inline script, which says whether to refresh; its two forms
are allowed by their digests. Styles may be inline, since Flower's pages and its table library have them as attributes.
"""

from __future__ import annotations

import base64
import hashlib

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

_INLINE = tuple(f"\nvar autorefresh = {value};\n" for value in (0, 1))


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' {' '.join(map(_digest, _INLINE))}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class ContentPolicy(OutputTransform):
    """Adds the policy to every answer, whichever handler gives it."""

    def __init__(self, request: HTTPServerRequest) -> None:
        """Nothing of the request matters."""

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: ARG002 - Tornado's
    ) -> tuple[int, HTTPHeaders, bytes]:
        """With the headers that no page of Flower's sets."""
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        return status_code, headers, chunk
