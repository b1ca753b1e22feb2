"""GitOps Promoter (promoter.argoproj.io): all kinds go through the same gates before their own rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gitops_workers.core.health.kinds.promotion import environments_of, strategy, transfer
from gitops_workers.core.health.rules import Rule, Stale, Table, condition, fill, items, read, text
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
    "scmprovider.{}/finalizer": ("Waiting until no GitRepository still references this SCM provider.", _DANGLING),
    "gitrepository.{}/finalizer": (
        "Waiting until no PullRequest still references this Git repository.",
        "PullRequest objects can reference a repository that no longer exists.",
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
    """What a kind is called in its messages. `what` starts sentences, `action` is what fails, `gate` has no Ready."""

    what: str
    action: str
    short: str = ""
    gate: bool = False


def _rule(words: Words, last: Callable[[Manifest], Health]) -> Rule:
    """Deletion, first status, failures, observation, then the kind's own rule."""
    short = words.short or words.what
    lower = _lower(short)

    def decide(obj: Manifest) -> Health:
        if read(obj, "metadata.deletionTimestamp") is not None:
            return Health(HealthStatus.PROGRESSING, f"{short} is being deleted{_holding(obj)}")
        if not items(obj, "status.conditions"):
            return Health(HealthStatus.PROGRESSING, f"Initializing {_lower(words.what)}")
        ready = condition(obj, "Ready")
        if ready is None:
            message = f"{short} Ready condition is missing" if words.gate else f"{short} is not ready yet"
            return Health(HealthStatus.PROGRESSING, message)
        if Stale("@Ready.observedGeneration")(obj):
            return Health(HealthStatus.PROGRESSING, f"Waiting for {lower} spec update to be observed")
        status, why = text(ready, "status"), text(ready, "reason")
        if status == "False" and why in ("", "ReconciliationError"):
            return Health(HealthStatus.DEGRADED, f"{words.action}: {text(ready, 'message')}")
        if status == "False":
            verb = words.action.removesuffix(" failed") + " not ready" if words.gate else words.action
            return Health(HealthStatus.DEGRADED, f"{verb} ({why}): {text(ready, 'message')}")
        if status == "Unknown":
            message = f"{words.what} status unknown ({why}): {text(ready, 'message')}"
            return Health(HealthStatus.PROGRESSING, message)
        return last(obj)

    return decide


def _lower(words: str) -> str:
    """Lower case inside a sentence, except for names like SCM, Argo CD and TimedCommitStatus."""
    head, _, rest = words.partition(" ")
    return words if head[1:] != head[1:].lower() or head == "Argo" else f"{head.lower()} {rest}".strip()


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
        return Health(HealthStatus.PROGRESSING, "Commit status is not ready yet")
    return Health(HealthStatus.HEALTHY, f"Commit status for commit {sha} reports {phase}")


def _pull_request(obj: Manifest) -> Health:
    number, state = text(obj, "status.id"), text(obj, "status.state")
    if not number or not state:
        return Health(HealthStatus.PROGRESSING, "Pull request is not ready yet")
    return Health(HealthStatus.HEALTHY, f"Pull request is {state} as PR {number}")


def _argocd(obj: Manifest) -> Health:
    count = len(items(obj, "status.applicationsSelected"))
    return Health(HealthStatus.HEALTHY, f"Argo CD commit status is healthy and is tracking {count} applications")


_GATES = {
    "GitCommitStatus": ("Git commit validation", "passed"),
    "TimedCommitStatus": ("Timed commit gate", "satisfied"),
    "WebRequestCommitStatus": ("Web request commit validation", "passed"),
}

RULES: Table = {
    f"{_GROUP}/{kind}": rule
    for kind, rule in {
        "ArgoCDCommitStatus": _rule(
            Words("Argo CD commit status", "Argo CD commit status reconciliation failed"), _argocd
        ),
        "ChangeTransferPolicy": _rule(
            Words("Change transfer policy", "Change transfer policy reconciliation failed"), transfer
        ),
        "PromotionStrategy": _rule(Words("Promotion strategy", "Promotion strategy reconciliation failed"), strategy),
        "CommitStatus": _rule(Words("Commit status", "Commit status reconciliation failed"), _commit_status),
        "PullRequest": _rule(Words("Pull request", "Pull request reconciliation failed"), _pull_request),
        "ScmProvider": _rule(Words("SCM provider", "SCM provider validation failed"), _says("SCM provider is ready")),
        "ClusterScmProvider": _rule(
            Words("Cluster SCM provider", "Cluster SCM provider validation failed", "ClusterScmProvider"),
            _says("Cluster SCM provider is ready"),
        ),
        "GitRepository": _rule(
            Words("Git repository", "Git repository reconciliation failed"), _says("Git repository is ready")
        ),
    }.items()
} | {
    f"{_GROUP}/{kind}": _rule(Words(what, f"{what} failed", kind, gate=True), environments_of(what, done))
    for kind, (what, done) in _GATES.items()
}
