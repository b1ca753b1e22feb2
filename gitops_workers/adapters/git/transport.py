"""Requests to Git servers: ls-remote and fetch, with a credential that nobody else can see.

A credential travels as git configuration (an Authorization header, certificates) or as an ssh key, in memory files that
only this one child inherits. It is bound to the repository's scheme, host and port, and redirects are not followed, so
it reaches no other server (T16, T17).
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from gitops_workers.adapters.git.address import Address, HostGuard
from gitops_workers.adapters.git.command import DeadlinePassed, Finished, GitProgram, proxied, proxy_environment
from gitops_workers.adapters.git.secret_files import SecretFiles
from gitops_workers.adapters.git.ssh_key import readable_key
from gitops_workers.core.errors import GitOpsError, HostUnavailable, InvalidManifest, SourceUnavailable, UnsafeContent
from gitops_workers.core.source.credentials import Credential
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.telemetry.figures import GIT_FETCH_FAILURES, GIT_REQUESTS, GIT_SECONDS, counted, observed
from gitops_workers.core.text.redact import scrub
from gitops_workers.runtime.meters import METER

_MESSAGE = 400
"""Characters of a server's complaint that reach a status."""

_SSH = (
    "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null"
    " -o UpdateHostKeys=no -o IdentitiesOnly=yes -o IdentityAgent=none -o ForwardAgent=no -o ClearAllForwardings=yes"
    " -o PermitLocalCommand=no -o ControlMaster=no -o ControlPath=none -o ConnectTimeout=20 -o ServerAliveInterval=10"
    " -o PreferredAuthentications=publickey"
)

# (what git or ssh says, what to do): the first that matches is added to the message.
_ADVICE = (
    (r"error: 30[12378]\b|redirect", "the server redirects, which is not followed; use the address it points to"),
    (r"could not read Username|terminal prompts disabled", "the repository needs a credential"),
    (r"Authentication failed|error: 40[13]\b|Permission denied", "the server refuses the credential; renew it"),
    (r"Host key verification failed|host key is known", "put the server's key into known_hosts"),
    (r"certificate|SSL|TLS", "give the server's CA, or correct the certificate"),
    (r"error in libcrypto|invalid format", "the ssh private key cannot be read; give it in PEM or OpenSSH format"),
    (r"not found|does not appear to be a git repository|error: 404\b", "correct the URL, or give a credential"),
)
_SPOKE_GIT = re.compile(rb"<= Recv header: content-type: application/x-git-upload-pack-advertisement\s", re.IGNORECASE)
_REDIRECTED = re.compile(r"returned error: 30[1278]\b")
# Said of the connection, not of the repository. A 500 may be one repository's own; these are a proxy's or everybody's.
_HOST_AWAY = re.compile(
    r"Could not resolve|Failed to connect|Couldn't connect|Connection (?:refused|timed out|reset|closed)|timed out"
    r"|Empty reply|Operation too slow|No route to host|Network is unreachable|Recv failure|kex_exchange_identification"
    r"|returned error: 50[234]\b"
)
_FSCK = re.compile(r"error: object [0-9a-f]+: |fsck error")
# Said of our own files; what the server says begins with "remote:".
_DAMAGED = re.compile(
    r"^(?:error|fatal): (?:bad object|(?:pack)?file \S+\.pack\b|.*\.idx\b|loose object|object file|.*did not send all)",
    re.MULTILINE,
)
_NOT_SERVED = re.compile(
    r"not our ref|unadvertised object|does not support shallow|dumb http|no such remote ref|remote did not send all"
)


class NotServed(SourceUnavailable):
    """The server does not give out this commit by its id; its branches may have it."""


class DamagedCopy(SourceUnavailable):
    """Git complains about objects that are on our own disk."""


class Transport:
    """Speaks to servers for one process."""

    def __init__(self, git: GitProgram) -> None:
        """`git` runs the commands and knows the settings."""
        self._git = git
        self._guard = HostGuard(git.settings, proxied=proxied())
        self._suffixed: set[str] = set()

    def list_refs(self, address: Address, credential: Credential, timeout: float) -> bytes:
        """The output of `git ls-remote --symref`. Raises SourceUnavailable, also when the answer may be cut.

        Git's own protocol says where a list ends, and git checks it. An answer of any other type (a proxy's page, one
        that was cut before its type) git reads as a plain file of refs, which has no end mark: nothing would be an
        empty repository. So it must have been git that answered (`gitprotocol-http`, "Smart Clients").
        """
        limit = self._git.settings.max_listing_bytes

        def arguments(url: str) -> list[str]:
            return ["ls-remote", "--symref", "--", url]

        finished = self._request(arguments, address, credential, timeout, limit, traced=True)
        if address.scheme in ("http", "https") and not _SPOKE_GIT.search(finished.trace):
            raise SourceUnavailable(
                f"{address.shown}: the server's answer is not of Git's smart HTTP protocol, or was cut; see what "
                "answers at this address"
            )
        return finished.output

    def fetch(
        self,
        directory: str,
        address: Address,
        credential: Credential,
        *,
        options: Sequence[str],
        refspecs: Sequence[str],
        timeout: float,
    ) -> None:
        """Fetch into a bare repository. Raises NotServed, SourceUnavailable, UnsafeContent (the server's objects)."""
        fixed = [f"--git-dir={directory}", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force"]
        fixed += ["--no-auto-maintenance", "--no-recurse-submodules", *options, "--"]

        def arguments(url: str) -> list[str]:
            return [*fixed, url, *refspecs]

        self._request(arguments, address, credential, timeout, 1 << 20)

    def _request(
        self,
        arguments: Callable[[str], list[str]],
        address: Address,
        credential: Credential,
        timeout: float,
        limit: int,
        *,
        traced: bool = False,
    ) -> Finished:
        kind = "ls-remote" if traced else "fetch"
        repository, began = without_credentials(address.url), time.monotonic()
        try:
            return self._asked(arguments, address, credential, timeout, limit, traced=traced)
        except GitOpsError:
            if kind == "fetch":
                METER.add(counted(GIT_FETCH_FAILURES, (repository,)))
            raise
        finally:
            METER.add(counted(GIT_REQUESTS, (repository, kind)))
            METER.add(observed(GIT_SECONDS, (repository, kind), time.monotonic() - began))

    def _asked(
        self,
        arguments: Callable[[str], list[str]],
        address: Address,
        credential: Credential,
        timeout: float,
        limit: int,
        *,
        traced: bool,
    ) -> Finished:
        url = address.url
        suffixed = f"{url.rstrip('/')}.git"
        can_suffix = address.scheme in ("http", "https") and not url.endswith(".git")
        if url in self._suffixed:
            url = suffixed
        finished = self._run(arguments(url), address, credential, timeout, limit, traced=traced)
        if finished.status and can_suffix and url != suffixed and _REDIRECTED.search(finished.error):
            # GitLab answers `repo` with a redirect to `repo.git`. That one address is tried; no redirect is followed.
            second = self._run(arguments(suffixed), address, credential, timeout, limit, traced=traced)
            if not second.status:
                self._suffixed.add(address.url)
                finished = second
        if finished.status:
            raise _failure(finished, address, credential)
        return finished

    def _run(
        self,
        arguments: Sequence[str],
        address: Address,
        credential: Credential,
        timeout: float,
        limit: int,
        *,
        traced: bool,
    ) -> Finished:
        pins = self._guard.check(address)
        with SecretFiles() as files:
            config, extra, trace = [], proxy_environment(), ""
            if address.scheme == "ssh":
                extra["GIT_SSH_COMMAND"] = _ssh_command(address, credential, pins, files)
                extra["GIT_SSH_VARIANT"] = "ssh"
            elif address.scheme != "file":
                text = _http_config(address, credential, files)
                extra["GIT_CONFIG_GLOBAL"] = files.add(text) if text else "/dev/null"
                if traced:
                    # The headers of the conversation, without credentials (git redacts them) and without content.
                    extra |= {"GIT_TRACE_CURL": (trace := files.add("")), "GIT_TRACE_CURL_NO_DATA": "1"}
                if pins:
                    places = ",".join(f"[{pin}]" if ":" in pin else pin for pin in pins)
                    config.append(f"http.curloptResolve={address.host}:{address.port}:{places}")
            environment = self._git.environment(extra, protocols=address.scheme)
            try:
                finished = self._git.run(
                    arguments,
                    timeout=timeout,
                    limit=limit,
                    config=config,
                    environment=environment,
                    descriptors=files.descriptors,
                )
            except DeadlinePassed as problem:
                raise HostUnavailable(f"{address.shown}: {problem}") from None
            except SourceUnavailable as problem:
                raise SourceUnavailable(f"{address.shown}: {problem}") from None
            return replace(finished, trace=files.read(trace)) if trace else finished


def _http_config(address: Address, credential: Credential, files: SecretFiles) -> str:
    """Git configuration for this server alone; empty when there is nothing to say."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    lines = []
    if credential.authorization:
        lines.append(f"extraHeader = {_quoted('Authorization: ' + credential.authorization)}")
    if credential.ca:
        lines.append(f"sslCAInfo = {files.add(credential.ca)}")
    if credential.client_certificate:
        lines.append(f"sslCert = {files.add(credential.client_certificate)}")
        lines.append(f"sslKey = {files.add(credential.client_key)}")
    return "\n".join([f'[http "{address.scheme}://{host}:{address.port}/"]', *lines, ""]) if lines else ""


def _quoted(value: str) -> str:
    if any(ord(sign) < 32 for sign in value):
        raise InvalidManifest("the Git credential has a line break or control character in it; store it without")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ssh_command(address: Address, credential: Credential, pins: Sequence[str], files: SecretFiles) -> str:
    """The shell command git runs for ssh. The memory files' paths hold `$PPID` and stay unquoted."""
    if not credential.ssh_private_key or not credential.known_hosts.strip():
        missing = "an ssh private key" if not credential.ssh_private_key else "known_hosts"
        raise InvalidManifest(f"{address.shown}: the credential lacks {missing}; ssh needs a key and known_hosts")
    key = files.add(readable_key(credential.ssh_private_key, credential.password), of_parent=True)
    hosts = files.add(credential.known_hosts.rstrip() + "\n", of_parent=True)
    command = f"{_SSH} -i {key} -o UserKnownHostsFile={hosts}"
    if pins:
        alias = address.host if address.port == 22 else f"[{address.host}]:{address.port}"
        command += f" -o HostName={shlex.quote(pins[0])} -o HostKeyAlias={shlex.quote(alias)}"
    return command


def _failure(finished: Finished, address: Address, credential: Credential) -> Exception:
    text = scrub(finished.error, credential.secrets).replace(address.url, address.shown)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(fatal|error|remote|ssh|Host key|.*Permission denied)\b", line)]
    said = "; ".join(dict.fromkeys(telling or lines[-2:]))[:_MESSAGE] or f"git ended with status {finished.status}"
    if _FSCK.search(text):
        return UnsafeContent(f"{address.shown}: git's own check refuses an object of this repository: {said}")
    if _DAMAGED.search(text):
        return DamagedCopy(f"{address.shown}: the local copy is damaged: {said}")
    if _NOT_SERVED.search(text):
        return NotServed(f"{address.shown}: {said}")
    advice = next((f"; {advice}" for pattern, advice in _ADVICE if re.search(pattern, text)), "")
    kind = HostUnavailable if _HOST_AWAY.search(text) else SourceUnavailable
    return kind(f"{address.shown}: {said}{advice}")
