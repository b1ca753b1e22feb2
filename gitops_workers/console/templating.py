"""Our templates in front of Flower's, and our tabs in its navigation and links to our pages on its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import flower
from tornado.template import BaseLoader, Template

from gitops_workers.core.errors import Refused

OWN = Path(__file__).parent / "templates"
FLOWER = Path(flower.__file__).parent / "templates"
_WITH_LINKS = frozenset({"tasks.html", "task.html"})
"""Flower's pages on which ids of applications become links."""
_FIRST_TAB = re.compile(rb'<ul class="app-nav navbar-nav">')


class ChainLoader(BaseLoader):
    """Looks for a template in several folders; the navigation is Flower's own with our tabs before its first."""

    def __init__(self, folders: Sequence[Path] = (OWN, FLOWER)) -> None:
        super().__init__()
        self._folders = tuple(folders)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Template names are flat: there are no folders to be relative to."""
        del parent_path
        return name

    def _create_template(self, name: str) -> Template:
        content = next(path.read_bytes() for folder in self._folders if (path := folder / name).is_file())
        if name == "navbar.html":
            content = _with_tabs(content)
        elif name in _WITH_LINKS:
            content += (OWN / "gitops-links.html").read_bytes()
        return Template(content, name=name, loader=self)


def _with_tabs(navbar: bytes) -> bytes:
    tabs = (OWN / "gitops-tabs.html").read_bytes()
    changed, count = _FIRST_TAB.subn(lambda match: match[0] + tabs, navbar, count=1)
    if not count:
        # Flower's templates are no declared interface; the version is pinned to those this was seen with.
        raise Refused(f"Flower {flower.__version__} has another navigation than this console knows; install 2.2")
    return changed
