"""Places in the export of a kustomization: what stands there, also where a link leads elsewhere in the repository."""

from __future__ import annotations

from gitops_workers.adapters.rendering.closure.files import Files
from gitops_workers.core.errors import RenderFailed
from gitops_workers.core.source import repo_paths
from gitops_workers.ports import TreeEntry
from gitops_workers.sandbox_protocol.kustomizations import NAMES


class Places:
    """Finds and collects files by the place where kustomize looks for them."""

    def __init__(self, files: Files) -> None:
        """Nothing is collected yet."""
        self._files = files
        self.entries: dict[str, TreeEntry] = {}
        self._reals: dict[str, str] = {}
        self._moved: dict[str, str] = {}
        """Places that only exist seen from a link: `..` out of a folder that a link shows -> where it really leads."""

    def file(self, place: str, field: str) -> None:
        """Take in the file at a place. Raises RenderFailed where there is none; `field` names it."""
        if place in self.entries:
            return
        entry = self._files.find(self.behind(place))
        if entry is None:
            raise RenderFailed(
                f"{field} names {place!r}, which does not exist in this commit; add it or remove the entry"
            )
        self.entries[place] = _at(place, entry)

    def placed(self, folder: str, text: str, field: str) -> str:
        """Where kustomize looks in the export for what it names from the place of a folder.

        In a checkout `..` leaves the real folder behind a link. The export has no links, so what is there from the real
        folder is put where it looks from the link's place; where that is something else already, it is refused.
        """
        place, real = repo_paths.join(folder, text, what=field), self.real(folder)
        path = place if real == folder else repo_paths.join(real, text, what=field)
        if place == path:
            return place
        there = self._files.real(self.behind(place))
        if there is None:
            self._moved[place] = path
        elif there != (self._files.real(path) or path):
            raise RenderFailed(
                f"{field} names {text!r}, which is {path!r} from the folder and {place!r} from the link to it; "
                "name the folder itself"
            )
        return place

    def behind(self, place: str) -> str:
        """The path in the repository of a place, links not yet followed."""
        for moved, path in self._moved.items():
            if repo_paths.inside(place, moved):
                return path + place[len(moved) :]
        return place

    def real(self, place: str) -> str:
        """The real folder behind a place; asked for once per reference, so it is remembered."""
        if (known := self._reals.get(place)) is None:
            path = self.behind(place)
            known = self._reals[place] = self._files.real(path) or path
        return known

    def is_folder(self, place: str) -> bool:
        """Whether a folder is seen there."""
        return self._files.is_folder(self.behind(place))

    def kustomization(self, folder: str) -> TreeEntry | None:
        """The kustomization file of a folder, None where it has none."""
        for name in NAMES:
            place = f"{folder}/{name}".lstrip("/")
            entry = self._files.find(self.behind(place))
            if entry is not None:
                return _at(place, entry)
        return None


def _at(place: str, entry: TreeEntry) -> TreeEntry:
    return entry if entry.path == place else TreeEntry(place, entry.mode, entry.oid)
