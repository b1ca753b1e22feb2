"""`python -m gitops_workers.alive beat|worker`: whether this host's process has a heartbeat. A container asks it."""

from __future__ import annotations

import os
import socket
import sys

from gitops_workers.settings import read
from gitops_workers.wiring.stores import open_telemetry


def main(role: str) -> int:
    """0 when a process of this role on this host has been heard of lately, else 1."""
    presence, here = open_telemetry(read(os.environ)).presence(), f"@{socket.gethostname()}"
    alive = {process for duty in presence.last for process in presence.present(duty)}
    return 0 if any(one.role == role and one.name.endswith(here) for one in alive) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
