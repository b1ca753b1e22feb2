"""GitOps Promoter (promoter.argoproj.io): all kinds go through the same gates before their own rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gitops_workers.core.health.fields import fill, items, read, text
from gitops_workers.core.health.kinds.promotion import environments_of, strategy, transfer
from gitops_workers.core.health.rules import Rule, Table
from gitops_workers.core.model import Health, HealthStatus
from gitops_workers.core.objects import Manifest

_GROUP = "promoter.argoproj.io"
_PULL_REQUESTS = (
    f"The 'changetransferpolicy.{_GROUP}/pullrequest-finalizer' finalizer may not be cleaned up from PullRequests "
    "owned by this ChangeTransferPolicy."
)
_DANGLING = "GitRepository objects can reference a provider that no longer exists."
_FINALIZERS = {
    "changetransferpolicy.{}/finalizer": (
        "Waiting to clear related PullRequest finalizers and finish cleanup before this policy is removed.",
        _PULL_REQUESTS,
    ),
    "clusterscmprovider.{}/finalizer": (
        "Waiting until no GitRepository still references this cluster-wide SCM provider.",
        _DANGLING,
    ),
    "scmprovider.{}/finalizer": (
        "Waiting until no GitRepository in this namespace still references this provider.",
        _DANGLING,
    ),
    "gitrepository.{}/finalizer": (
        "Waiting until no non-deleting PullRequests still reference this repository.",
        "repository metadata may be removed while promotions still depend on it.",
    ),
    "pullrequest.{}/finalizer": (
        "Waiting for SCM closure or reconciliation of the pull request.",
        "the real PR can stay open after the CR is gone.",
    ),
    "changetransferpolicy.{}/pullrequest-finalizer": (
        "Waiting for the ChangeTransferPolicy to observe PR identity and state.",
        "promotion status or history can be wrong or racy.",
    ),
}
"""What a finalizer waits for, and what goes wrong if a human removes it."""

_HELD = {name.format(_GROUP): why for name, why in _FINALIZERS.items()}


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind is called in its messages: at their start, inside, and what its Ready condition speaks of.

    `not_ready` is said instead of `failed` where the reason is no failed reconciliation; `unknown` of an Unknown one.
    """

    start: str
    inside: str
    subject: str
    failed: str
    missing: str
    not_ready: str = ""
    unknown: str = ""
    conditions: tuple[str, ...] = ("Ready",)


def _rule(words: Words, last: Callable[[Manifest], Health]) -> Rule:
    """Deletion, first status, then every Ready condition: observed, failed, unknown; then the kind's own rule."""

    def decide(obj: Manifest) -> Health:
        if read(obj, "metadata.deletionTimestamp") is not None:
            return Health(HealthStatus.PROGRESSING, f"{words.start} is being deleted{_holding(obj)}")
        if not isinstance(read(obj, "status"), dict):
            return Health(HealthStatus.PROGRESSING, f"Initializing {words.subject}")
        found = [item for item in items(obj, "status.conditions") if text(item, "type") in words.conditions]
        for item in found:
            if (health := _judged(words, obj, item)) is not None:
                return health
        return last(obj) if found else Health(HealthStatus.PROGRESSING, words.missing)

    return decide


def _judged(words: Words, obj: Manifest, item: dict[str, Any]) -> Health | None:
    generation, seen = read(obj, "metadata.generation"), item.get("observedGeneration")
    if None not in (generation, seen) and seen != generation:
        return Health(HealthStatus.PROGRESSING, f"Waiting for {words.inside} spec update to be observed")
    status, reason = item.get("status"), text(item, "reason", "Unknown")
    if status == "False" and reason == "ReconciliationError":
        return Health(HealthStatus.DEGRADED, f"{words.failed}: {text(item, 'message', 'Unknown error')}")
    if status == "False":
        verb = words.not_ready or words.failed
        return Health(HealthStatus.DEGRADED, f"{verb} ({reason}): {text(item, 'message', 'Unknown error')}")
    if status == "Unknown" and words.unknown:
        told = f"{words.unknown} ({reason}): {text(item, 'message', 'Unknown')}"
        return Health(HealthStatus.PROGRESSING, told)
    return None


def _holding(obj: Manifest) -> str:
    found = read(obj, "metadata.finalizers")
    held = [name for name in found if isinstance(name, str) and name in _HELD] if isinstance(found, list) else []
    told = "".join(f" {name}: {_HELD[name][0]} Risk if removed manually: {_HELD[name][1]}" for name in held)
    return f".{told}" if told else ""


def _says(template: str) -> Callable[[Manifest], Health]:
    return lambda obj: Health(HealthStatus.HEALTHY, fill(template, obj))


def _commit_status(obj: Manifest) -> Health:
    # The object is healthy when it was reported; whether the commit passed is for the strategy to judge.
    sha, phase = text(obj, "status.sha"), text(obj, "status.phase")
    if not sha or not phase:
        return Health(HealthStatus.HEALTHY, "Commit status is healthy")
    return Health(HealthStatus.HEALTHY, f"Commit status for commit {sha} reports {phase}")


def _pull_request(obj: Manifest) -> Health:
    number, state = text(obj, "status.id"), text(obj, "status.state")
    if not number or not state:
        return Health(HealthStatus.HEALTHY, "Pull request is healthy")
    return Health(HealthStatus.HEALTHY, f"Pull request is {state} as PR {number}")


def _argocd(obj: Manifest) -> Health:
    count = len(items(obj, "status.applicationsSelected"))
    if not count:
        return Health(HealthStatus.DEGRADED, "Argo CD commit status has no applications configured")
    return Health(HealthStatus.HEALTHY, f"Argo CD commit status is healthy and is tracking {count} applications")


def _report(name: str, *conditions: str) -> Words:
    """A kind that does what it is told: whether it could."""
    inside = name if name.startswith("Argo") else f"{name[0].lower()}{name[1:]}"
    failed, missing = f"{name} reconciliation failed", f"{name} is not ready yet"
    return Words(name, inside, inside, failed, missing, conditions=conditions or ("Ready",))


def _checked(kind: str, name: str, failed: str, unknown: str) -> Words:
    """A kind that promises that what it names is valid."""
    subject = name if name.startswith(("SCM", "Git r")) else f"{name[0].lower()}{name[1:]}"
    missing = f"{kind} Ready condition is missing"
    return Words(kind, kind, subject, failed, missing, not_ready=f"{name} not ready", unknown=unknown)


def _provider(kind: str, name: str) -> Rule:
    words = _checked(kind, name, f"{name} validation failed", f"{name} readiness unknown")
    return _rule(words, _says(f"{name} is ready"))


def _gate(kind: str, name: str, done: str, unknown: str, environments: str = "") -> Rule:
    return _rule(_checked(kind, name, f"{name} failed", unknown), environments_of(environments or name, done, name))


_RULES: Table = {
    "ArgoCDCommitStatus": _rule(_report("Argo CD commit status"), _argocd),
    "ChangeTransferPolicy": _rule(_report("Change transfer policy"), transfer),
    "PromotionStrategy": _rule(_report("Promotion strategy"), strategy),
    "CommitStatus": _rule(_report("Commit status"), _commit_status),
    "PullRequest": _rule(_report("Pull request", "Ready", "Reconciled"), _pull_request),
    "ScmProvider": _provider("ScmProvider", "SCM provider"),
    "ClusterScmProvider": _provider("ClusterScmProvider", "Cluster SCM provider"),
    "GitRepository": _provider("GitRepository", "Git repository"),
    "GitCommitStatus": _gate(
        "GitCommitStatus", "Git commit validation", "passed", "Git commit validation status unknown"
    ),
    "TimedCommitStatus": _gate(
        "TimedCommitStatus", "Timed commit gate", "satisfied", "Timed commit gate status unknown"
    ),
    "WebRequestCommitStatus": _gate(
        "WebRequestCommitStatus",
        "Web request commit validation",
        "passed",
        "Web request commit validation unknown",
        "Web request validation",
    ),
}
RULES: Table = {f"{_GROUP}/{kind}": rule for kind, rule in _RULES.items()}
