"""`doctor`: looks at everything an installation needs; each line is ok or says what to do."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gitops_workers.cli import FAILED
from gitops_workers.cli.client import Engine, running_here, settings
from gitops_workers.cli.output import Output, flat, print_table, show_value
from gitops_workers.core.errors import GitOpsError, InvalidManifest
from gitops_workers.core.model import Problem
from gitops_workers.core.settings.readings import strangers
from gitops_workers.core.telemetry.presence import BEAT, CONTROL, Presence
from gitops_workers.core.text.plural import amount
from gitops_workers.services.wait import missing_processes
from gitops_workers.settings import Settings

ARGOCD_CM = "argocd-cm"

WAYS = (
    "allow user namespaces or seccomp filters, or set GITOPS_ALLOW_RENDER_NETWORK=true where egress is closed otherwise"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `state` is ok, advice (works without) or failed."""

    subject: str
    state: str
    text: str


def doctor(
    catalogue: Annotated[str, typer.Option(help="Instead of GITOPS_CATALOGUE.")] = "",
    kubeconfig: Annotated[str, typer.Option(help="Instead of GITOPS_KUBECONFIG.")] = "",
    output: Annotated[Output, typer.Option("-o", "--output", help="table, json or yaml.")] = Output.TABLE,
) -> None:
    """Check settings, Redis, tools, Git, sandbox, catalogue and clusters; exits with 1 when something is not well."""
    found = settings()
    found = replace(
        found,
        catalogue=(catalogue,) if catalogue else found.catalogue,
        kubeconfig=kubeconfig or found.kubeconfig,
    )
    findings = []
    for check in (_redis, _git, _tools, _sandbox, _catalogue, _secrets, _clusters):
        findings += list(_guarded(check, found))
    if output in (Output.JSON, Output.YAML):
        show_value([{"subject": one.subject, "state": one.state, "text": one.text} for one in findings], output)
    else:
        print_table(["CHECK", "STATE", "WHAT"], [[flat(one.subject), one.state, flat(one.text)] for one in findings])
    if any(one.state == "failed" for one in findings):
        raise typer.Exit(FAILED)


def _guarded(check: Callable[[Settings], Iterator[Finding]], found: Settings) -> Iterator[Finding]:
    """A check that breaks is a finding, and the others go on."""
    try:
        yield from check(found)
    except (GitOpsError, OSError) as error:
        yield Finding(check.__name__.removeprefix("_"), "failed", str(error))


def _redis(found: Settings) -> Iterator[Finding]:
    url = found.redis_url
    running = running_here(found.state_directory) if not url else None
    if running is not None:
        url = running["redis_url"]
    if not url:
        from gitops_workers.local.redis_server import redis_program  # noqa: PLC0415 - only for `up`

        program = redis_program()
        yield Finding("redis", "ok", f"none is running here; `gitops-workers up` starts {program}")
        return
    engine = Engine(replace(found, redis_url=url))
    engine.queue.now()
    where = "embedded in `gitops-workers up`" if running else "GITOPS_REDIS_URL"
    yield Finding("redis", "ok", f"{where} answers")
    known = engine.state.applications()
    if known and engine.state.application(known[0]) is None:
        yield Finding(
            "redis", "failed", "stored with another key: set GITOPS_CACHE_KEY or GITOPS_STATE to the workers'"
        )
    else:
        yield Finding("applications", "ok", f"{len(known)} known")
    yield from _processes(engine)


def _processes(engine: Engine) -> Iterator[Finding]:
    """The processes that do the work; an installation that nothing was deployed to yet may have none."""
    presence = engine.telemetry.presence()
    if missing := missing_processes(engine.state, engine.telemetry):
        yield from (Finding("processes", "failed", sentence) for sentence in missing)
        return
    workers = len(presence.present(CONTROL))
    yield Finding("processes", "ok", f"{amount(len(presence.present(BEAT)), 'beat')}, {amount(workers, 'worker')}")
    yield from _settings(engine, presence)


def _settings(engine: Engine, presence: Presence) -> Iterator[Finding]:
    """Which workers read another `argocd-cm` than the one that is in force."""
    from gitops_workers.pipeline.reconcile.settings_in_force import in_force  # noqa: PLC0415 - `--help` does without

    if (version := in_force(engine.state)) is not None:
        yield from (Finding(ARGOCD_CM, "advice", text) for text in strangers(presence, version.digest))


def _git(_found: Settings) -> Iterator[Finding]:
    from gitops_workers.adapters.git.command import GitProgram  # noqa: PLC0415 - `--help` does without
    from gitops_workers.adapters.git.settings import GitSettings  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as home:
        # What a worker asks at its start: what it would refuse is refused here in the same words.
        yield Finding("git", "ok", GitProgram(GitSettings(), Path(home)).version)
    if shutil.which("ssh") is None:
        yield Finding("ssh", "advice", "there is no ssh on PATH: ssh:// repositories need it")


def _tools(_found: Settings) -> Iterator[Finding]:
    from gitops_workers.adapters.rendering import PROGRAMS  # noqa: PLC0415 - `--help` does without
    from gitops_workers.toolchain import ToolMissing, tool  # noqa: PLC0415

    for name in PROGRAMS:
        try:
            yield Finding(name, "ok", str(tool(name)))
        except ToolMissing as missing:
            yield Finding(name, "failed", str(missing))
    with contextlib.suppress(ToolMissing):
        yield Finding("sops", "ok", str(tool("sops")))


def _sandbox(found: Settings) -> Iterator[Finding]:
    from gitops_workers.wiring.sandbox import isolation_here  # noqa: PLC0415 - starts a child; `--help` does without

    isolation = isolation_here()
    if not isolation.network_closed and not found.allow_render_network:
        yield Finding("sandbox", "failed", f"{isolation}; workers refuse to render: {WAYS}")
    elif isolation.missing:
        missing = ", ".join(name.replace("_", " ") for name in isolation.missing)
        yield Finding("sandbox", "advice", f"{isolation}; this kernel does not allow: {missing}")
    else:
        yield Finding("sandbox", "ok", str(isolation))


def _catalogue(found: Settings) -> Iterator[Finding]:
    from gitops_workers.adapters.catalogues import parse  # noqa: PLC0415 - parsers; `--help` does without
    from gitops_workers.cli.files import documents, read_files  # noqa: PLC0415
    from gitops_workers.dialects import validation  # noqa: PLC0415
    from gitops_workers.dialects.document import MANIFEST_SUFFIXES  # noqa: PLC0415

    if not found.catalogue:
        yield Finding("catalogue", "advice", "GITOPS_CATALOGUE is not set: name the directory of your Applications")
    for place in found.catalogue:
        try:
            location = parse(place)
        except InvalidManifest as refused:
            yield Finding("catalogue", "failed", str(refused))
            continue
        if location.folder is None:
            yield Finding("catalogue", "ok", f"{location.name}: read by the workers")
            continue
        if not location.folder.is_dir():
            yield Finding("catalogue", "failed", f"{place} is no directory: correct GITOPS_CATALOGUE")
            continue
        problems = validation.validate(read_files([place], MANIFEST_SUFFIXES), documents)
        errors = [problem for problem in problems if not problem.known]
        yield from _unheeded(problems)
        more = f" and {len(errors) - 1} more: run `gitops-workers validate {place}`" if len(errors) > 1 else ""
        yield Finding(
            "catalogue", "failed" if errors else "ok", f"{errors[0]}{more}" if errors else f"{place} is valid"
        )


def _secrets(found: Settings) -> Iterator[Finding]:
    """What of an `argocd-cm` beside the Secrets is not done."""
    if not found.secrets or not Path(found.secrets).is_dir():
        return
    from gitops_workers.cli.files import documents, read_files  # noqa: PLC0415 - parsers; `--help` does without
    from gitops_workers.dialects import validation  # noqa: PLC0415
    from gitops_workers.dialects.document import MANIFEST_SUFFIXES  # noqa: PLC0415

    yield from _unheeded(validation.validate(read_files([found.secrets], MANIFEST_SUFFIXES), documents))


def _unheeded(problems: Iterable[Problem]) -> Iterator[Finding]:
    for problem in problems:
        if problem.message.startswith(f"{ARGOCD_CM}: "):
            yield Finding(ARGOCD_CM, "advice", problem.message.removeprefix(f"{ARGOCD_CM}: "))


def _clusters(found: Settings) -> Iterator[Finding]:
    from gitops_workers.adapters.cluster.registry import ConfiguredClusters  # noqa: PLC0415 - as above
    from gitops_workers.adapters.kubeconfig import read_kubeconfig  # noqa: PLC0415

    if not found.kubeconfig:
        yield Finding("clusters", "advice", "GITOPS_KUBECONFIG is not set: name the kubeconfig of your clusters")
        return
    contexts = read_kubeconfig(found.kubeconfig, allow_exec=found.allow_exec)
    for name, reason in contexts.refused:
        yield Finding(f"cluster {name}", "advice", f"not used: {reason}")
    clusters: Any = ConfiguredClusters(contexts.accesses, in_cluster=contexts.current, connect_timeout=5.0)
    for name in clusters.names():
        try:
            version = clusters.open(name).discovery().kube_version
            yield Finding(f"cluster {name}", "ok", f"{clusters.server(name)} answers, Kubernetes {version}")
        except GitOpsError as error:
            yield Finding(f"cluster {name}", "failed", str(error))
