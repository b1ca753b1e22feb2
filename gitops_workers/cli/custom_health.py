"""Health by rules of the user's own: Lua of an argocd-cm, CEL of Kustomizations. In a sandbox, as in a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gitops_workers.adapters.sandbox import Sandbox, SandboxLimits
from gitops_workers.adapters.user_rules import UserRules
from gitops_workers.cli.files import documents
from gitops_workers.core.dialect import policy_of
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Application, Destination, Dialect, Health, HealthExpressions, Schedule, SourceSpec
from gitops_workers.core.objects import Manifest
from gitops_workers.core.render.render_spec import RenderSpec
from gitops_workers.core.settings.customizations import Customizations
from gitops_workers.core.sync.sync_policy import SyncPolicy
from gitops_workers.dialects import Document, parse
from gitops_workers.dialects.argocd import settings
from gitops_workers.dialects.configs import is_config, parse_config
from gitops_workers.dialects.document import load_file

NOBODY = Application(
    "kustomization/-/-", Dialect.FLUX, SourceSpec(""), RenderSpec(), Destination(), SyncPolicy(), Schedule(0, 0, 0)
)


@contextmanager
def custom(name: str, dialect: Dialect) -> Iterator[Callable[[Manifest], Health | None]]:
    """The function that tells an object's health. Raises InvalidManifest for rules that cannot be read."""
    loaded = _load(name)
    limits = SandboxLimits(seconds=1.0, memory=256 << 20, grace=0.25, open_network=True)  # the rules are the user's own
    sandbox = Sandbox({}, children=1, program="rules", limits=limits)
    try:
        if policy_of(dialect).governed:
            yield UserRules(sandbox, _customizations(name, loaded)).rule_alone
        else:
            app = replace(NOBODY, dialect=dialect, health_rules=_expressions(name, loaded))
            rules = UserRules(sandbox)
            rules.check(app)
            yield lambda live: rules.health(app, live)
    finally:
        sandbox.close()


def _load(name: str) -> list[Document]:
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise InvalidManifest(f"{name}: cannot be read ({error.strerror}).") from None
    loaded, broken = load_file(documents, data, name)
    if broken:
        raise InvalidManifest("\n".join(map(str, broken)))
    return loaded


def _expressions(name: str, loaded: list[Document]) -> tuple[HealthExpressions, ...]:
    found = tuple(rule for app in parse(loaded).applications for rule in app.health_rules)
    if not found:
        raise InvalidManifest(f"{name}: holds no Kustomization with healthCheckExprs.")
    return found


def _customizations(name: str, loaded: list[Document]) -> Customizations:
    """Of a ConfigMap, or of a file with nothing but its data."""
    data: dict[str, str] = {}
    for document in loaded:
        if is_config(document):
            config, problems = parse_config(document)
            if config is None:
                raise InvalidManifest("\n".join(map(str, problems)))
            data |= {key: config.text(key) for key in config.data}
        elif isinstance(document.value, dict):
            data |= {str(key): value for key, value in document.value.items() if isinstance(value, str)}
    found, wrong = settings.customizations(data, _yaml, name)
    if wrong:
        raise InvalidManifest("\n".join(map(str, wrong)))
    if not found.scripts:
        raise InvalidManifest(f"{name}: holds no resource.customizations.health.<group>_<Kind>.")
    return found


def _yaml(data: bytes, name: str) -> Any:
    found = documents(data, name)
    return found[0].value if found else None
