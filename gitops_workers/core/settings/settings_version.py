"""Which reading of the installation's settings is the newest, when several workers have read them.

Every worker reads `argocd-cm` from files of its own, and a new text reaches one host earlier than another (a kubelet
renews a mounted ConfigMap about once a minute). A worker that decided by the older text would overwrite what the newer
one leaves alone. The digests alone have no order, so the store keeps the digest in force and those before it, and no
time makes an older text a newer one: some hosts keep theirs until the pod restarts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gitops_workers.core.settings.readings import Heard
from gitops_workers.core.telemetry.presence import ABSENT_SECONDS

KEPT = 8
"""Replaced digests that are remembered beside those that a worker still reads: who edits settings saves repeatedly."""


class Freshness(Enum):
    """What a worker's own reading is beside the one in force."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """The digest in force, since when (epoch seconds of the queue's clock), and the replaced ones, the last first.

    When each was replaced decides nothing here; a worker of an older release asks for it during an upgrade.
    """

    digest: str
    since: float
    replaced: tuple[tuple[str, float], ...] = ()

    def followed_by(self, digest: str, now: float, heard: Heard) -> SettingsVersion:
        """The version after this one. What somebody still reads is not forgotten: it would pass for a new text."""
        others = tuple(item for item in self.replaced if item[0] != digest)
        known = enumerate(((self.digest, now), *others))
        return SettingsVersion(
            digest, now, tuple(item for place, item in known if place < KEPT or item[0] in heard.digests)
        )


def freshness(
    own: str, read_at: Mapping[str, float], stored: SettingsVersion | None, heard: Heard, now: float
) -> Freshness:
    """Where `own` stands. `read_at`: when this process began to read each digest that it has read, `own` included.

    A digest that was replaced is put back by a process that saw its own files change away from the one in force, or,
    where pods were restarted with the earlier text, once all live workers tell what they read and none reads the one
    in force. A heartbeat that is missing is no proof: without one that tells `own`, nothing is known of the others, and
    whoever put the other digest in force read it then, though its heartbeat tells so a little later.
    """
    if stored is None:
        return Freshness.NEWER
    if stored.digest == own:
        return Freshness.SAME
    if stored.digest in read_at and read_at[own] > stored.since:
        # This process has seen the text change away from the one in force, perhaps back to an earlier one.
        return Freshness.NEWER
    if own not in dict(stored.replaced):
        return Freshness.NEWER
    certain = heard.complete and own in heard.digests and now - stored.since > ABSENT_SECONDS
    return Freshness.NEWER if certain and stored.digest not in heard.digests else Freshness.OLDER
