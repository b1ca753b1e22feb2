"""How this installation reads Git: settings, and whose credential goes where, for workers and offline commands."""

from __future__ import annotations

from gitops_workers.adapters.git import GitSettings
from gitops_workers.adapters.secrets_files import SecretFiles
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import SourceSpec
from gitops_workers.core.source.credentials import Credential
from gitops_workers.dialects.argocd.repository_secret import repository_secrets
from gitops_workers.dialects.credentials import flux_credential
from gitops_workers.settings import Settings


def git_settings(settings: Settings) -> GitSettings:
    """What GITOPS_GIT_* say. Raises InvalidManifest."""
    pairs = []
    for text in settings.git_mirrors:
        prefix, equals, replacement = text.partition("=")
        if not equals:
            raise InvalidManifest(f"GITOPS_GIT_MIRRORS: found {text!r}, expected `prefix=replacement`.")
        pairs.append((prefix, replacement))
    return GitSettings(
        schemes=frozenset(settings.git_schemes),
        mirrors=tuple(pairs),
        private_hosts=frozenset(settings.git_private_hosts),
        fetch_timeout=settings.git_timeout,
        submodules=settings.git_submodules,
    )


def credential(secrets: SecretFiles, source: SourceSpec) -> Credential | None:
    """Flux: the Secret that the GitRepository names. Argo CD: the repository Secret whose URL fits."""
    ref = source.credential
    if ref is None:
        found, _ = repository_secrets(secrets.objects())
        return found.credential(source.url)
    data = secrets.read(ref)
    if data is None:
        raise InvalidManifest(
            f"spec.secretRef: Secret {ref.namespace}/{ref.name} was not found. Add it to the directory GITOPS_SECRETS."
        )
    return flux_credential(data, source.url, f"Secret {ref.namespace}/{ref.name}")
