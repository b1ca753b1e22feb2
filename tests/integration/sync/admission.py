"""Admission policies over one test's namespace."""

from __future__ import annotations

from tests.integration.sync.yard import Yard

GROUP = "/apis/admissionregistration.k8s.io/v1"
REASON = "settings may not be forbidden here; ask the platform team"


def only(yard: Yard) -> dict[str, object]:
    """What a policy matches: the objects of this test's namespace."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": yard.space}}}


def deny(yard: Yard) -> None:
    """Deny ConfigMaps of this test's namespace whose value is `forbidden`."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    policy = {
        "metadata": {"name": yard.space},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": "!has(object.data) || object.data.v != 'forbidden'", "message": REASON}],
        },
    }
    binding = {
        "metadata": {"name": yard.space},
        "spec": {"policyName": yard.space, "validationActions": ["Deny"], "matchResources": only(yard)},
    }
    for kind, body in (("validatingadmissionpolicies", policy), ("validatingadmissionpolicybindings", binding)):
        status, answer = yard.plane.call("POST", f"{GROUP}/{kind}", body)
        assert status == 201, answer


def allow(yard: Yard) -> None:
    """Take that back."""
    for kind in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
        yard.plane.call("DELETE", f"{GROUP}/{kind}/{yard.space}")


def in_force(yard: Yard) -> bool:
    """Whether the API server has taken the policy up, which takes it a moment."""
    body = {"metadata": {"name": "probe"}, "data": {"v": "forbidden"}}
    return bool(yard.plane.call("POST", f"/api/v1/namespaces/{yard.space}/configmaps?dryRun=All", body)[0] == 422)
