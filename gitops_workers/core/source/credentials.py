"""What a Git server wants to see of us, as a value that does not show itself.

A credential is looked up at the moment of the request and handed to the one wrapper around git. It is no part of
any other value, so it cannot reach a message, a status or a cache.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

_TOKEN_LENGTH = 16
"""A user name this long may be a token."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One repository's credential. Empty means not given; `repr` names no secret.

    HTTPS: `bearer_token` wins over `username` and `password` (Flux); `ca` is PEM that replaces the system's roots;
    `client_certificate` and `client_key` are PEM for mutual TLS. SSH: `ssh_private_key` (PEM or OpenSSH, `password`
    is its passphrase when it is encrypted) and `known_hosts`, without which no host is trusted.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    ssh_private_key: str = field(default="", repr=False)
    known_hosts: str = field(default="", repr=False)
    ca: str = field(default="", repr=False)
    client_certificate: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)

    @property
    def authorization(self) -> str:
        """The value of the Authorization header, empty when there is nothing to send."""
        if self.bearer_token:
            return f"Bearer {self.bearer_token}"
        if self.password or self.username:
            pair = f"{self.username}:{self.password}".encode()
            return "Basic " + base64.b64encode(pair).decode()
        return ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not be seen, for `redact.scrub`."""
        derived = self.authorization.partition(" ")[2]
        values = (self.password, self.bearer_token, self.ssh_private_key, self.client_key, derived)
        # A token is often given as the user name; short ones ("git", "oauth2") are words of ordinary messages.
        username = (self.username,) if len(self.username) >= _TOKEN_LENGTH and not self.ssh_private_key else ()
        return tuple(value for value in (*values, *username) if value)
