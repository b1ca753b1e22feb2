"""From the environment's settings to this process' own; every mistake is an error at the start."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.settings import Settings
from gitops_workers.web.connections import Bounds
from gitops_workers.web.services import Role, Token, WebSettings
from gitops_workers.web.webhooks.registry import NAMES

SHORTEST_TOKEN = 16
"""Characters; a shorter one can be guessed at the rate this API answers."""


def web_settings(settings: Settings) -> WebSettings:
    """The settings of the web process. Raises InvalidManifest, which names no secret."""
    return WebSettings(
        webhook_secrets=_webhook_secrets(settings.webhook_secrets),
        tokens=_tokens(settings.tokens),
        open_to_loopback=settings.loopback,
        bounds=Bounds(per_address=settings.web_connections_per_address),
    )


def _tokens(entries: Iterable[str]) -> tuple[Token, ...]:
    """`role=token`, or `role:name@project+project=token` to have a name in the history and to limit what it sees."""
    found = []
    for number, entry in enumerate(entries, 1):
        # An entry without "=" may be the token itself: it is counted in the message, never shown.
        place = f"GITOPS_TOKENS: entry {number}"
        head, found_equals, secret = entry.partition("=")
        if not found_equals:
            raise InvalidManifest(f"{place} has no `=`; write `read=` or `write=` before the token.")
        holder, _, projects = head.partition("@")
        role, _, name = holder.partition(":")
        if role not in tuple(Role):
            raise InvalidManifest(f"{place} does not begin with a role; write `read=` or `write=` before the token.")
        if len(secret) < SHORTEST_TOKEN:
            raise InvalidManifest(f"{place} has a token of {len(secret)} characters; use {SHORTEST_TOKEN} or more.")
        found.append(Token.of(name or f"{role}-{number}", Role(role), secret, [p for p in projects.split("+") if p]))
    return tuple(found)


def _webhook_secrets(entries: Iterable[str]) -> dict[str, bytes]:
    """`provider=secret`."""
    found: dict[str, bytes] = {}
    for number, entry in enumerate(entries, 1):
        name, _, secret = entry.partition("=")
        if name not in NAMES or not secret:
            raise InvalidManifest(
                f"GITOPS_WEBHOOK_SECRETS: entry {number} is not `provider=secret`; providers are {', '.join(NAMES)}."
            )
        found[name] = secret.encode()
    return found
