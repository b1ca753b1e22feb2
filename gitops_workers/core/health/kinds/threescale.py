"""Red Hat 3scale: the API manager and its capabilities. Failure conditions count before success conditions."""

from __future__ import annotations

from gitops_workers.core.health.fields import fill, read, text
from gitops_workers.core.health.rules import Table, degraded, either, false, has, healthy, progressing, suspended, true
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_FAILURES = (
    ("Failed", "3scale {kind} synchronization failed"),
    ("Invalid", "3scale {kind} configuration is invalid"),
    ("Orphan", "3scale {kind} references non existing resources"),
)


def _new_tenant(obj: Manifest) -> bool:
    """A tenant without its ids is not there yet, whatever its condition says."""
    return obj.get("kind") == "Tenant" and None in (read(obj, "status.tenantId"), read(obj, "status.adminId"))


_STATES = (
    suspended("3scale {kind} is suspended", has("status.state", "suspended")),
    suspended("{@Waiting.message}", true("Waiting")),
    progressing("Waiting for 3scale {kind} status...", _new_tenant),
    healthy("3scale {kind} is ready", either(true("Ready"), true("Synced"))),
)


def capability(obj: Manifest) -> Health:
    """A condition's own message is better than ours; 3scale does not always write one."""
    for kind, fallback in _FAILURES:
        if true(kind)(obj):
            return Health(HealthStatus.DEGRADED, text(obj, f"@{kind}.message") or fill(fallback, obj))
    for step in _STATES:
        found = step(obj)
        if found is not None:
            return found
    if false("Ready")(obj) and text(obj, "@Ready.message"):
        return Health(HealthStatus.DEGRADED, text(obj, "@Ready.message"))
    return Health(HealthStatus.PROGRESSING, fill("Waiting for 3scale {kind} status...", obj))


RULES: Table = {
    "apps.3scale.net/APIManager": (
        degraded("3scale APIManager is degraded", true("Degraded")),
        healthy("3scale APIManager is available", true("Available")),
        progressing("Waiting for 3scale APIManager status..."),
    ),
    "capabilities.3scale.net/*": capability,
}
