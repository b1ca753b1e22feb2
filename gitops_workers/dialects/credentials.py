"""Secrets of either dialect become a Git credential. No message holds a value; what is missing is named by its key."""

from __future__ import annotations

from collections.abc import Mapping

from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.source.credentials import Credential

APP_KEYS = ("githubAppID", "githubAppPrivateKey", "githubAppInstallationID")
"""Keys of the Secret of a GitRepository that this version does not do."""
REPOSITORY_LATER = {
    "githubAppID": "GitHub App authentication",
    "githubAppPrivateKey": "GitHub App authentication",
    "gcpServiceAccountKey": "Google service account authentication",
    "azureServicePrincipalClientId": "Azure service principal authentication",
    "useAzureWorkloadIdentity": "Azure workload identity",
    "proxy": "fetching through a proxy",
    "insecure": "switching TLS verification off",
    "insecureIgnoreHostKey": "ignoring SSH host keys",
    "enableLfs": "Git LFS",
}
"""Keys of Argo CD's repository Secrets that this version does not do."""


def flux_credential(data: Mapping[str, bytes], url: str, origin: str) -> Credential:
    """The credential in the Secret of a GitRepository's secretRef (Flux 2.9, authentication).

    https: `username` and `password`, or `bearerToken`; `ca.crt` (or `caFile`), `tls.crt` with `tls.key`. ssh:
    `identity` and `known_hosts`, both needed, and `password` for the key's passphrase. `origin` names the Secret in
    messages. Raises InvalidManifest.
    """
    if any(key in data for key in APP_KEYS):
        raise InvalidManifest(f"{origin}: GitHub App authentication is not done by this version: use a token instead.")
    text = {key: _text(data, key, origin) for key in data}
    if url.startswith("ssh://"):
        _need(text, ("identity", "known_hosts"), origin, "an ssh URL")
        return Credential(
            password=text.get("password", ""), ssh_private_key=text["identity"], known_hosts=text["known_hosts"]
        )
    if text.get("password") and not text.get("username"):
        raise InvalidManifest(f"{origin}: password is given without username: add the key username.")
    if bool(text.get("tls.crt")) != bool(text.get("tls.key")):
        raise InvalidManifest(f"{origin}: tls.crt and tls.key belong together: give both or neither.")
    found = Credential(
        username=text.get("username", ""),
        password=text.get("password", ""),
        bearer_token=text.get("bearerToken", ""),
        ca=text.get("ca.crt") or text.get("caFile", ""),
        client_certificate=text.get("tls.crt", ""),
        client_key=text.get("tls.key", ""),
    )
    if found == Credential():
        keys = "username and password, bearerToken, ca.crt, or tls.crt and tls.key"
        raise InvalidManifest(f"{origin}: the Secret holds no credential for an https URL: give it the keys {keys}.")
    return found


def argocd_credential(data: Mapping[str, bytes], origin: str) -> Credential:
    """The credential in an Argo CD repository or repo-creds Secret; an empty one when it holds none.

    SSH host keys and certificate authorities stand in ConfigMaps of their own there: `argocd-ssh-known-hosts-cm` and
    `argocd-tls-certs-cm`. Raises InvalidManifest for what this version does not do.
    """
    for key, what in REPOSITORY_LATER.items():
        value = data.get(key, b"").strip().lower()
        if value not in (b"", b"false"):
            raise InvalidManifest(
                f"{origin}: {key} asks for {what}, which is not done by this version: remove the key."
            )
    text = {key: _text(data, key, origin) for key in _REPOSITORY_KEYS if key in data}
    certificate, key = text.get("tlsClientCertData", ""), text.get("tlsClientCertKey", "")
    if bool(certificate) != bool(key):
        raise InvalidManifest(
            f"{origin}: tlsClientCertData and tlsClientCertKey belong together: give both or neither."
        )
    return Credential(
        username=text.get("username", ""),
        password=text.get("password", ""),
        bearer_token=text.get("bearerToken", ""),
        ssh_private_key=text.get("sshPrivateKey", ""),
        client_certificate=certificate,
        client_key=key,
    )


_REPOSITORY_KEYS = (
    "username",
    "password",
    "bearerToken",
    "sshPrivateKey",
    "tlsClientCertData",
    "tlsClientCertKey",
)


def _text(data: Mapping[str, bytes], key: str, origin: str) -> str:
    try:
        text = data[key].decode()
    except UnicodeDecodeError:
        raise InvalidManifest(f"{origin}: the value of {key} is no text: encode it as UTF-8.") from None
    # Files made by an editor end with a newline that no token or password has; keys need theirs.
    return text.rstrip("\r\n") if key in ("username", "password", "bearerToken") else text


def _need(text: Mapping[str, str], keys: tuple[str, ...], origin: str, what: str) -> None:
    missing = [key for key in keys if not text.get(key)]
    if missing:
        raise InvalidManifest(f"{origin}: {' and '.join(missing)} missing: {what} needs {' and '.join(keys)}.")
