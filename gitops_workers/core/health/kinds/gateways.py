"""Traffic: Contour, Gloo, Istio, DNS-SD, Flagger."""

from __future__ import annotations

from typing import Any

from gitops_workers.core.health.fields import items, number, read, text
from gitops_workers.core.health.rules import (
    Rule,
    Table,
    degraded,
    false,
    has,
    healthy,
    joined,
    progressing,
    reason,
    true,
    unknown,
)
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_GLOO = {
    "Pending": Health(HealthStatus.SUSPENDED, "The resource has not yet been validated"),
    "Accepted": Health(HealthStatus.HEALTHY, "The resource has been validated"),
}
_GLOO_NUMBERS = ("Pending", "Accepted", "Rejected", "Warning")
_GLOO_ORDER = (HealthStatus.DEGRADED, HealthStatus.SUSPENDED, HealthStatus.HEALTHY)


def gloo(obj: Manifest) -> Health:
    """One status a controller namespace since Gloo 1.10, one alone before; the worst counts."""
    many = read(obj, "status.statuses")
    statuses = list(many.values()) if isinstance(many, dict) else [read(obj, "status")]
    found = [health for health in map(_gloo, statuses) if health is not None]
    if not found:
        return Health(HealthStatus.PROGRESSING, "Update in progress")
    return min(found, key=lambda health: _GLOO_ORDER.index(health.status))


def _gloo(status: Any) -> Health | None:
    state = read(status, "state")
    if isinstance(state, int) and 0 <= state < len(_GLOO_NUMBERS):
        state = _GLOO_NUMBERS[state]
    if state in ("Rejected", "Warning"):
        return Health(HealthStatus.DEGRADED, text(status, "reason"))
    return _GLOO.get(state) if isinstance(state, str) else None


_CANARY = {
    "Failed": HealthStatus.DEGRADED,
    **dict.fromkeys(("Progressing", "Finalising", "Promoting"), HealthStatus.PROGRESSING),
    **dict.fromkeys(("Succeeded", "Initialized"), HealthStatus.HEALTHY),
}


def canary(obj: Manifest) -> Health:
    """Flagger: the phase, while traffic shifts with its weight, and what its conditions say."""
    if not isinstance(read(obj, "status"), dict):
        return Health(HealthStatus.UNKNOWN, "No status")
    phase, weight = text(obj, "status.phase"), number(obj, "status.canaryWeight")
    said = [f"Canary Weight: {text(obj, 'status.canaryWeight')} %"] if weight > 0 else []
    said += [text(item, "message") for item in items(obj, "status.conditions")]
    return Health(_CANARY.get(phase, HealthStatus.UNKNOWN), f"{phase} --- {' --- '.join(said)}")


def _not_included(item: dict[str, Any]) -> bool:
    """The proxy that should include this one is not there: a proxy that is meant to be included has no health."""
    missing = [error for error in items(item, "errors") if error.get("reason") == "IncludeNotFound"]
    return item.get("status") == "False" and any(error.get("type") == "IncludeError" for error in missing)


def contour(obj: Manifest) -> Health:
    """The Valid condition, if it is about this generation. A proxy has its words in the description."""
    said = "status.description" if obj.get("kind") == "HTTPProxy" else ""
    status = {"True": HealthStatus.HEALTHY, "False": HealthStatus.DEGRADED}
    for item in items(obj, "status.conditions"):
        current = item.get("observedGeneration") == read(obj, "metadata.generation")
        if current and _not_included(item):
            return Health(HealthStatus.HEALTHY, "HTTPProxy inclusions cannot be health checked")
        if current and item.get("type") == "Valid" and text(item, "status") in status:
            return Health(status[text(item, "status")], text(obj, said) if said else text(item, "message"))
    if said and read(obj, "status.conditions") is None and read(obj, "status.currentStatus") is not None:
        return Health(HealthStatus.PROGRESSING, text(obj, said))
    return Health(HealthStatus.PROGRESSING, "Waiting for status")


_DNSSD: Rule = (
    degraded("{@Adopted.message}", false("Adopted")),
    degraded("{@Advertised.message}", reason("Advertised", "AdvertiseError", "UnadvertiseError")),
    unknown("{@Discoverable.message}", reason("Discoverable", "DiscoveryError")),
    healthy("{@Discoverable.message}", true("Discoverable")),
    progressing("{@Discoverable.message}"),
)
_ISTIO: Rule = (
    unknown("Component is not present.", has("status.status", "NONE", 0)),
    progressing("Component is being updated to a different version.", has("status.status", "UPDATING", 1)),
    progressing(
        "Controller has started but not yet completed reconciliation loop for the component.",
        has("status.status", "RECONCILING", 2),
    ),
    healthy("Component is healthy.", has("status.status", "HEALTHY", 3)),
    degraded("Component is in an error state.", has("status.status", "ERROR", 4)),
    degraded(
        "Overall status only and would not be set as a component status.", has("status.status", "ACTION_REQUIRED")
    ),
    progressing("Waiting for Istio Control Plane"),
)

RULES: Table = dict(
    (
        *joined("projectcontour.io", {"HTTPProxy ExtensionService": contour}),
        *joined(
            "gateway.solo.io",
            {"Gateway MatchableHttpGateway RouteOption RouteTable VirtualHostOption VirtualService": gloo},
        ),
        *joined("gloo.solo.io", {"Proxy Settings Upstream UpstreamGroup": gloo}),
        ("install.istio.io/IstioOperator", _ISTIO),
        ("proclaim.dogmatiq.io/DNSSDServiceInstance", _DNSSD),
        ("flagger.app/Canary", canary),
    )
)
