"""What keeps a render apart from its host: reported by the child that it holds, shown by `doctor`, logs and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Isolation:
    """The means that took effect. What a render may read is checked from its content whatever these are."""

    network_namespace: bool = False
    """The child has a network of its own, with nothing in it."""
    system_call_filter: bool = False
    """The kernel refuses the child and its tools every socket (seccomp)."""
    chroot: bool = False
    """The child sees its own folder only."""
    landlock: bool = False
    """The kernel refuses every file outside the child's own folder."""
    own_user: bool = False
    """The child runs without root's rights."""

    @property
    def network_closed(self) -> bool:
        """Whether a render can reach no network by at least one means."""
        return self.network_namespace or self.system_call_filter

    @property
    def files_closed(self) -> bool:
        """Whether a render can open no file of the host by at least one means."""
        return self.chroot or self.landlock

    @property
    def in_force(self) -> tuple[str, ...]:
        """The names of the means that took effect."""
        return tuple(name for name, present in self.as_mapping().items() if present)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the means that the kernel refused."""
        return tuple(name for name, present in self.as_mapping().items() if not present)

    def as_mapping(self) -> Mapping[str, bool]:
        """The means by name, for logs and metrics."""
        return asdict(self)

    def __str__(self) -> str:
        """One sentence for people."""
        network = "closed" if self.network_closed else "OPEN"
        files = "closed" if self.files_closed else "protected by checks of the content only"
        means = ", ".join(name.replace("_", " ") for name in self.in_force)
        return f"a render's network is {network}, files of the host are {files} (in force: {means or 'nothing'})"
