"""Text from outside (a tool's stderr, a server's answer, a URL) made fit for a status, a log or an error.

Every message about Git passes `scrub`: credentials go, and so do control characters, which would let a server or a
commit write over somebody's terminal.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
_MIN_LINE = 8
"""Lines of a secret (a PEM key) at least this long are removed on their own; a shorter one says nothing."""

# Terminal sequences go whole: without their escape character "[31m" would stay as text.
_SEQUENCES = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[\[(][0-?]*[ -/]*[@-~]?|\x1b.?", re.DOTALL)
# C0 without tab and newline, DEL, C1, zero-width and direction characters, line and paragraph separators, surrogates.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_USERINFO = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*:/{2,})[^\s/?#'\"<>]*@")
_LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,15}")
# A password with a raw slash: user, colon, anything that is not a port, up to the last @.
_USERINFO_SLASH = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*:/{2,})[^\s/:@'\"<>]*:(?!\d+(?:/|\b))[^\s'\"<>]*@")
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization\s*[:=]\s*)(?:(?:basic|bearer|token|digest)\s+)?[^\s'\",;]+")
_PARAMETER = re.compile(
    r"(?i)([?&;](?:access_token|private_token|auth_token|token|password|passwd|secret|api_key|apikey|sig|signature"
    r"|x-amz-signature|x-amz-credential|x-amz-security-token)=)[^\s&;#'\"<>]+"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without credentials and without control characters (tab and newline stay).

    `secrets` are values known to be secret: each is removed as it is, URL-quoted and base64-encoded, and line by line
    when it has several. Userinfo of URLs, authorization headers, token parameters and private keys go unasked.

    >>> scrub("cannot reach https://bot:hunter2@git.example.com/x")
    'cannot reach https://***@git.example.com/x'
    """
    if not secrets and _is_plain(text):
        return text
    text = _CONTROLS.sub("", _SEQUENCES.sub("", text))
    for form in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(form, MASK)
    text = _PEM.sub(MASK, text)
    text = _USERINFO_SLASH.sub(rf"\1{MASK}@", text)
    text = _USERINFO.sub(_without_userinfo, text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    return _PARAMETER.sub(rf"\1{MASK}", text)


def _without_userinfo(match: re.Match[str]) -> str:
    """An SSH login has no password in it: `ssh://git@host` stays, or nobody could copy it out of an advice."""
    login = match[0].removeprefix(match[1]).removesuffix("@")
    if match[1].lower() == "ssh://" and _LOGIN.fullmatch(login):
        return match[0]
    return f"{match[1]}{MASK}@"


def _is_plain(text: str) -> bool:
    """Whether none of the patterns can fit: each of them needs one of these signs. Most fields of a log line are so."""
    return text.isascii() and text.isprintable() and ":" not in text and "=" not in text and "-----" not in text


def _forms(secrets: Iterable[str]) -> set[str]:
    """The spellings in which a secret can come back."""
    forms: set[str] = set()
    for secret in secrets:
        clean = _CONTROLS.sub("", _SEQUENCES.sub("", secret))
        values = {clean, clean.strip()}
        lines = clean.splitlines()
        if len(lines) > 1:
            values |= {line.strip() for line in lines if len(line.strip()) >= _MIN_LINE}
        for value in values - {"", MASK}:
            forms |= {value, quote(value, safe=""), quote(value), quote_plus(value)}
            forms.add(base64.b64encode(value.encode(errors="replace")).decode())
    return forms
