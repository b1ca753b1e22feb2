"""Which reading of the installation's settings is the newest, when several workers have read them.

Every worker reads `argocd-cm` from files of its own, and a new text reaches one host earlier than another (a kubelet
renews a mounted ConfigMap about once a minute). A worker that decided by the older text would overwrite what the newer
one leaves alone. The digests alone have no order, so the store keeps the digest in force and those before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

PROPAGATION = 180.0
"""Seconds after which a digest that was replaced counts as put back on purpose: a kubelet needs up to 90 s."""
KEPT = 8
"""Replaced digests that are remembered: somebody who edits settings saves more than once."""


class Standing(Enum):
    """What a worker's own reading is beside the one in force."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """The digest in force, since when (epoch seconds of the queue's clock), and the replaced ones with when."""

    digest: str
    since: float
    replaced: tuple[tuple[str, float], ...] = ()

    def followed_by(self, digest: str, now: float) -> SettingsVersion:
        """The version after this one."""
        others = tuple(item for item in self.replaced if item[0] != digest)
        return SettingsVersion(digest, now, ((self.digest, now), *others)[:KEPT])


def standing(own: str, read_at: Mapping[str, float], stored: SettingsVersion | None, now: float) -> Standing:
    """Where `own` stands. `read_at`: when this process began to read each digest that it has read, `own` included."""
    if stored is None:
        return Standing.NEWER
    if stored.digest == own:
        return Standing.SAME
    if stored.digest in read_at and read_at[own] > stored.since:
        # This process has seen the text change away from the one in force, perhaps back to an earlier one.
        return Standing.NEWER
    replaced = dict(stored.replaced).get(own)
    return Standing.OLDER if replaced is not None and now - replaced < PROPAGATION else Standing.NEWER


def to_document(version: SettingsVersion) -> dict[str, Any]:
    """As it is stored."""
    return {"digest": version.digest, "since": version.since, "replaced": [list(item) for item in version.replaced]}


def from_document(value: Any) -> SettingsVersion | None:
    """As it was stored; None where that cannot be read, and the next worker stores its own."""
    try:
        replaced = tuple((str(digest), float(at)) for digest, at in value["replaced"])
        return SettingsVersion(str(value["digest"]), float(value["since"]), replaced)
    except (KeyError, TypeError, ValueError):
        return None
