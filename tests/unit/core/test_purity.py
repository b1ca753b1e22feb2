"""The core decides and does nothing else: its imports are an allow-list, and no third-party package is on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import gitops_workers.core

ROOT = Path(gitops_workers.core.__file__).parent
ALLOWED = frozenset(
    "__future__ base64 binascii bisect collections contextlib dataclasses datetime decimal difflib enum fnmatch "
    "functools hashlib hmac ipaddress itertools json math operator posixpath re string textwrap types typing "
    "unicodedata urllib".split()
)
"""Modules of the standard library that compute. None reads a file, a clock, a random number or the environment."""


def imported() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import():
                    yield from ((str(path.relative_to(ROOT)), alias.name) for alias in node.names)
                case ast.ImportFrom():
                    yield str(path.relative_to(ROOT)), node.module or "."


def test_every_import_of_the_core_is_allowed():
    found = list(imported())
    assert len(found) > 500
    others = {(path, name) for path, name in found if not name.startswith("gitops_workers.core")}
    assert {item for item in others if item[1].partition(".")[0] not in ALLOWED} == set()
