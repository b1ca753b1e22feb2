"""Virtual machines: KubeVirt and the volumes of its data importer."""

from __future__ import annotations

from gitops_workers.core.health.fields import items, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    conditions,
    degraded,
    has,
    healthy,
    joined,
    met,
    progressing,
    suspended,
    unmet,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest


def virtual_machine(obj: Manifest) -> Health:
    """KubeVirt: the last Ready condition before a pause; the operator's own word is told if there is one."""
    status, message = HealthStatus.PROGRESSING, "No status available"
    for item in items(obj, "status.conditions"):
        if all(test(item) for test in met("Paused")):
            return Health(HealthStatus.SUSPENDED, "Paused")
        if item.get("type") == "Ready":
            if item.get("status") == "True":
                status, message = HealthStatus.HEALTHY, "Running"
            elif read(obj, "status.created") not in (None, False):
                message = "Starting"
            else:
                status, message = HealthStatus.SUSPENDED, "Stopped"
    printable = read(obj, "status.printableStatus")
    return Health(status, message if printable is None else str(printable))


_INSTANCE_PHASES = {
    "Failed": HealthStatus.DEGRADED,
    **dict.fromkeys(("Pending", "Scheduling", "Scheduled"), HealthStatus.PROGRESSING),
    "Succeeded": HealthStatus.SUSPENDED,
    "Unknown": HealthStatus.UNKNOWN,
}


def machine_instance(obj: Manifest) -> Health:
    """KubeVirt: a phase that says enough, else the last Ready condition before a pause."""
    phase = text(obj, "status.phase")
    if phase in _INSTANCE_PHASES:
        return Health(_INSTANCE_PHASES[phase], phase)
    found = Health(HealthStatus.PROGRESSING, phase or "No status available")
    for item in items(obj, "status.conditions"):
        if item.get("type") == "Ready":
            running = item.get("status") == "True"
            found = (
                Health(HealthStatus.HEALTHY, "Running")
                if running
                else Health(HealthStatus.DEGRADED, text(item, "message"))
            )
        elif all(test(item) for test in met("Paused")):
            return Health(HealthStatus.SUSPENDED, text(item, "message"))
    return found


_DATA_VOLUME: Rule = (
    healthy("{status.phase}", has("status.phase", "Succeeded")),
    suspended("{status.phase}", has("status.phase", "Paused")),
    conditions(degraded("{message}", *unmet("Running"), has("reason", "Error"))),
    degraded("{status.phase}", has("status.phase", "Failed", "Unknown")),
    progressing("{status.phase?No status available}"),
)


RULES: Table = dict(
    (
        *joined("kubevirt.io", {"VirtualMachine": virtual_machine, "VirtualMachineInstance": machine_instance}),
        ("cdi.kubevirt.io/DataVolume", _DATA_VOLUME),
    )
)
