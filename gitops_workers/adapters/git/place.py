"""Where a source's repository lies on this host."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_workers.adapters.git.address import Address
from gitops_workers.adapters.git.mirror import Mirror


@dataclass(frozen=True, slots=True)
class Place:
    """A source's mirrors. The key tells tenants apart: another credential is another mirror."""

    key: str
    address: Address
    mirror: Mirror
    history: Mirror
    modules: dict[str, Place] = field(default_factory=dict)
    """The submodules that were fetched through this source, by key."""

    @property
    def host(self) -> str:
        """The server that is asked: its host and port."""
        return f"{self.address.host}:{self.address.port}"
