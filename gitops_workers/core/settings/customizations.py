"""What an installation's `argocd-cm` says: health scripts, differences to leave alone everywhere, and the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from gitops_workers.core.model import IgnoreRule
from gitops_workers.core.settings.installation import Installation


@dataclass(frozen=True, slots=True)
class HealthScript:
    """A Lua rule for the kinds that `pattern` (`group/Kind`, with wildcards; `Kind` for the core group) means."""

    pattern: str
    script: str
    open_libs: bool = False


@dataclass(frozen=True, slots=True)
class Customizations:
    """All of them, as read."""

    scripts: tuple[HealthScript, ...] = ()
    ignore: tuple[IgnoreRule, ...] = ()
    installation: Installation = field(default_factory=Installation)

    def script_for(self, group: str, kind: str) -> HealthScript | None:
        """The script of a kind: one for exactly this kind, else the longest wildcard that fits.

        Argo CD takes any of several fitting wildcards (Go's map order); the longest is the same one every time.
        """
        name = f"{group}/{kind}" if group else kind
        exact = next((item for item in self.scripts if item.pattern == name), None)
        if exact is not None:
            return exact
        fitting = [item for item in self.scripts if "*" in item.pattern and fnmatchcase(name, item.pattern)]
        return max(fitting, key=lambda item: (len(item.pattern), item.pattern), default=None)
