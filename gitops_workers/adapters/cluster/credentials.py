"""A credential as requests need it: headers, and a TLS context that verifies the server.

Files and programs are asked again when the credential is `MAX_AGE` old or the server refuses it, so that a rotated
token or certificate needs no restart. A program that fails is an error, never an unauthenticated request.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from gitops_workers.core.cluster.access import ClusterAccess, ExecPlugin
from gitops_workers.core.errors import ClusterUnavailable

MAX_AGE = 600.0
"""Seconds after which files and programs are asked again: bound service account tokens live for an hour."""
EXPIRY_MARGIN = 30.0
"""Seconds before a named expiry at which a token counts as expired: the longest request must still fit."""
EXEC_TIMEOUT = 30.0
"""Seconds a credential program may take: cloud plugins make a network request or two."""
_FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request carries. `until` is on the monotonic clock."""

    headers: Mapping[str, str] = field(repr=False)
    context: ssl.SSLContext | None
    """None for plain HTTP to a proxy on this machine."""
    until: float


def obtain(access: ClusterAccess) -> Credential:
    """Read the credential now. Raises ClusterUnavailable when a file or program does not give one.

    Without TLS there is none: like kubectl, we send no token or password in clear, and read and run nothing for it.
    """
    headers = {"User-Agent": "gitops-workers", "Accept": "application/json"}
    if access.impersonate:
        headers["Impersonate-User"] = _header(access, access.impersonate)
    if not access.server.lower().startswith("https:"):
        return Credential(headers, None, _FOREVER)
    token, cert, key, until = access.token, access.cert, access.key, _FOREVER
    if access.renewable:
        until = time.monotonic() + MAX_AGE
    if access.exec is not None:
        token, plugin_cert, plugin_key, lifetime = _run(access, access.exec)
        cert, key = plugin_cert or cert, plugin_key or key
        until = min(until, time.monotonic() + lifetime)
    elif access.token_file:
        token = _file(access, access.token_file, "token").strip()
    if token:
        headers["Authorization"] = f"Bearer {_header(access, token)}"
    elif access.username:
        pair = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    if access.cert_file:
        cert = _file(access, access.cert_file, "client certificate")
    if access.key_file:
        key = _file(access, access.key_file, "client key")
    ca = _file(access, access.ca_file, "certificate authority") if access.ca_file else access.ca
    return Credential(headers, _context(access, ca, cert, key), until)


def _header(access: ClusterAccess, value: str) -> str:
    # A newline in a token would let whoever wrote it add headers; Latin-1 is all that HTTP carries.
    if not value.isascii() or not value.isprintable():
        raise ClusterUnavailable(
            f"cluster {access.name}: the token or user in {access.origin or 'its declaration'} holds characters that "
            "no HTTP header may have; write it again without line breaks"
        )
    return value


def _file(access: ClusterAccess, path: str, what: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ClusterUnavailable(
            f"cluster {access.name}: the {what} file {path} cannot be read ({reason}); check path and permissions"
        ) from None


def _context(access: ClusterAccess, ca: str, cert: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if access.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif ca:
            context.load_verify_locations(cadata=ca)
        else:
            context.load_default_certs()
        if cert or key:
            with _readable(f"{cert}\n{key}\n".encode()) as path:
                context.load_cert_chain(path)
    except (ssl.SSLError, OSError, ValueError):
        # OpenSSL's words name no field, and could quote nothing useful of a key.
        raise ClusterUnavailable(
            f"cluster {access.name}: its certificate authority, client certificate or key is no valid PEM or does not "
            f"fit together; check {access.origin or 'its declaration'}"
        ) from None
    return context


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[str]:
    """A path that holds the content while the block runs. OpenSSL takes a client key only from a file."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("client-key"), "wb") as memory:  # never on a disk
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:
        with tempfile.NamedTemporaryFile() as file:  # mode 0600
            file.write(content)
            file.flush()
            yield file.name


def _run(access: ClusterAccess, plugin: ExecPlugin) -> tuple[str, str, str, float]:
    """Run a credential program; return token, certificate, key and how many seconds they last."""
    command = plugin.command
    if "/" in command and not command.startswith("/"):
        command = str(Path(plugin.directory) / command)
    # Our own settings hold keys (GITOPS_CACHE_KEY, tokens) that are no business of the program.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GITOPS_")}
    environment |= dict(plugin.env)
    environment["KUBERNETES_EXEC_INFO"] = orjson.dumps(_exec_info(access, plugin)).decode()
    where = f"cluster {access.name}: the credential program {plugin.command}"
    try:
        process = subprocess.Popen(
            [command, *plugin.args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may print what it should not; people run it by hand to see
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise ClusterUnavailable(f"{where} cannot be started ({error.strerror}); install it or name its path") from None
    try:
        output, _ = process.communicate(timeout=EXEC_TIMEOUT)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise ClusterUnavailable(f"{where} did not end in {EXEC_TIMEOUT:.0f} s; run it by hand to see why") from None
    if process.returncode != 0:
        raise ClusterUnavailable(f"{where} exited with status {process.returncode}; run it by hand to see why")
    status = _exec_status(output)
    token, cert, key = (str(status.get(name) or "") for name in ("token", "clientCertificateData", "clientKeyData"))
    if not token and not (cert and key):
        raise ClusterUnavailable(
            f"{where} printed no ExecCredential with a token or certificate; run it by hand to see"
        )
    return token, cert, key, _lifetime(status.get("expirationTimestamp"))


def _exec_info(access: ClusterAccess, plugin: ExecPlugin) -> dict[str, Any]:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = {"server": access.server, "insecure-skip-tls-verify": access.insecure}
        if access.ca:
            spec["cluster"]["certificate-authority-data"] = base64.b64encode(access.ca.encode()).decode()
        if access.server_name:
            spec["cluster"]["tls-server-name"] = access.server_name
    return {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}


def _exec_status(output: bytes) -> dict[str, Any]:
    with contextlib.suppress(orjson.JSONDecodeError):
        document = orjson.loads(output)
        if isinstance(document, dict) and isinstance(document.get("status"), dict):
            return dict(document["status"])
    return {}


def _lifetime(expiry: Any) -> float:
    """Seconds until an RFC 3339 time, less the margin; a program that names none is asked again after `MAX_AGE`."""
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, datetime.fromisoformat(expiry).timestamp() - time.time() - EXPIRY_MARGIN)
    return MAX_AGE
