"""What somebody asks of one application: a sync with its options, a rollback, the end of what runs.

    asker --save--> request/<app> --begin--> Operation.request --finish--> answer/<app>

Only askers write the document `request/<app>`, only the engine writes `answer/<app>`; a request is served when the
answer bears its id. So a request that comes in while another one ends is never thrown away with it, and one that was
served is not served again. Once it has begun, the operation carries it: that is what later steps go by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from gitops_workers.core.documents import codec
from gitops_workers.core.documents.codec import Exact
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.core.model import Application, Phase
from gitops_workers.core.objects import ObjectKey, digest
from gitops_workers.core.source.revisions import HEAD

MOST_SELECTORS = 1000
"""Selectors of one request. Each is tried on each object; who means more means the whole application."""
LONGEST_TEXT = 1024
"""Characters of a revision, a selector or a name: far beyond what Git and Kubernetes allow."""


@dataclass(frozen=True, slots=True)
class Selector(Exact):
    """Objects by group, kind, namespace and name; `*` is anything, an empty namespace any (Argo CD 3.5, app sync)."""

    group: str
    kind: str
    name: str
    namespace: str = ""
    exclude: bool = False

    def fits(self, key: ObjectKey) -> bool:
        """Whether it speaks of this object."""
        return (
            fnmatchcase(key.group, self.group)
            and fnmatchcase(key.kind, self.kind)
            and fnmatchcase(key.name, self.name)
            and (not self.namespace or fnmatchcase(key.namespace, self.namespace))
        )

    def __str__(self) -> str:
        """As people write it."""
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{'!' if self.exclude else ''}{self.group}:{self.kind}:{place}"


@dataclass(frozen=True, slots=True)
class Request(Exact):
    """One wish of one person. `id` is the asker's own word for it, by which the answer is known."""

    id: str
    by: str
    prune: bool = False
    """Delete what is not in Git; also the consent to deleting much."""
    revision: str = ""
    """Sync this instead of targetRevision, in any form that targetRevision allows; "" means targetRevision."""
    resources: tuple[Selector, ...] = ()
    """Only these objects; empty means all."""
    dry_run: bool = False
    """Say what would be done, write nothing."""
    force: bool = False
    """Delete and create an object whose immutable field changed."""
    rollback: int | None = None
    """Deploy what this entry of the history deployed."""
    pause: bool = False
    """With a rollback: automated sync is off until somebody resumes it."""
    terminate: bool = False
    """End the running operation."""
    refusal: str = ""
    """Why it cannot be served, whatever it was."""

    @property
    def has_target_revision(self) -> bool:
        """Whether it names what to deploy by itself: whatever is pushed meanwhile does not replace it."""
        return bool(self.revision) or self.rollback is not None

    @property
    def is_partial(self) -> bool:
        """Whether its end, good or bad, says little about the application's own revision as a whole."""
        return self.has_target_revision or bool(self.resources) or self.dry_run or self.terminate or bool(self.refusal)

    @property
    def needs_privilege(self) -> bool:
        """Whether it asks for more than the application's own automated sync does."""
        return self.is_partial or self.prune or self.force

    @property
    def hooks(self) -> bool:
        """Selective syncs and rollbacks run none (Argo CD 3.5)."""
        return not self.resources and self.rollback is None

    def selects(self, key: ObjectKey) -> bool:
        """Whether this object is meant: by one of the selectors, and by none that excludes."""
        wanted = [item for item in self.resources if not item.exclude]
        if any(item.exclude and item.fits(key) for item in self.resources):
            return False
        return not wanted or any(item.fits(key) for item in wanted)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended."""

    id: str
    phase: Phase
    message: str


def selector(text: str) -> Selector:
    """The selector in `[!]GROUP:KIND:[NAMESPACE/]NAME`; an empty group is that of Services and ConfigMaps.

    A name may hold colons, as those of RBAC objects do. Raises InvalidManifest.

    >>> str(selector("!apps:Deployment:shop/web"))
    '!apps:Deployment:shop/web'
    """
    parts = text.removeprefix("!").split(":", 2)
    if len(parts) != 3 or len(text) > LONGEST_TEXT:
        raise InvalidManifest(
            f"resource {text[:80]!r}: write [!]GROUP:KIND:[NAMESPACE/]NAME, as in apps:Deployment:web."
        )
    group, kind, place = parts
    namespace, _, name = place.rpartition("/")
    if not kind or not name or "/" in namespace or place.startswith("/"):
        raise InvalidManifest(f"resource {text[:80]!r}: kind and name must not be empty; `*` means any.")
    return Selector(group, kind, name, namespace, exclude=text.startswith("!"))


def decode(value: Any) -> Request:
    """The request in JSON data. Raises ValueError for one that nobody may begin, whoever made it."""
    request: Request = codec.load(Request, value)
    check(request)
    return request


def check(request: Request) -> None:
    """Raise ValueError for what no command asks for."""
    texts = [request.id, request.by, request.revision]
    if len(request.resources) > MOST_SELECTORS or any(len(text) > LONGEST_TEXT for text in texts):
        raise ValueError(f"it is larger than {MOST_SELECTORS} resources or {LONGEST_TEXT} characters")
    if not request.id:
        raise ValueError("field id is empty")
    if request.revision.startswith("-") or any(ord(sign) < 32 or ord(sign) == 127 for sign in request.revision):
        raise ValueError("revision is no name that Git allows")
    if request.rollback is not None and (request.rollback < 0 or request.revision):
        raise ValueError("rollback goes with a history id that is not negative, and without revision")
    if request.terminate and (
        request.has_target_revision or request.resources or request.dry_run or request.prune or request.force
    ):
        raise ValueError("terminate goes with nothing else")
    if request.pause and request.rollback is None:
        raise ValueError("pause goes with rollback only")


def checked(request: Request) -> Request:
    """The request, with why it cannot be served where it is one that no command asks for."""
    try:
        check(request)
    except ValueError as error:
        return replace(request, refusal=f"This request cannot be made: {error}.")
    return request


def unread(value: Any, reason: str) -> Request:
    """What a document that cannot be read asks for: a refusal, which is its answer."""
    named = value.get("id") if isinstance(value, Mapping) else None
    mark = named if named and isinstance(named, str) else digest(repr(value))
    return Request(mark[:LONGEST_TEXT], "", refusal=f"The stored request cannot be read: {reason}. Ask again.")


def pending(
    request: Request | None, answer: Answer | None, running: Request | None, begun: Request | None = None
) -> Request | None:
    """What this attempt is asked for: the stored request that has no answer yet, else that of the running operation.

    `begun`: the request that the last operation began with, whether it runs still or not.
    """
    if request is None or (answer is not None and request.id == answer.id):
        return running
    if answer is not None and not answer.id and begun is not None and begun.id == request.id:
        return running  # its operation says how it went
    if answer is not None and not answer.id:
        reason = f"Whether this was done already is not known: {answer.message} Look at the application, and ask again."
        return Request(request.id, request.by, refusal=reason)
    return request


def answer_unread(value: Any, reason: str) -> Answer:
    """The answer to the request with the id that can still be read; with none it may be that to any request."""
    named = value.get("id") if isinstance(value, Mapping) else ""
    return Answer(named if isinstance(named, str) else "", Phase.ERROR, f"The stored answer cannot be read: {reason}.")


def reject_reason(request: Request, app: Application, *, paused: bool = False) -> str:
    """Why a request must not be begun, and what to do; "" when it may. `paused`: automated sync was paused by hand."""
    if request.refusal:
        return request.refusal
    if app.leaving is not None and not app.leaving.held:
        return (
            f"{app.id} is being deleted: put its manifest back first, or give its objects up with "
            f"`app delete {app.id} --cascade orphan`."
        )
    if not app.sync.automated or paused or request.dry_run:
        return ""
    if request.rollback is not None and not request.pause:
        return (
            f"{app.id} is synced automatically, which would undo a rollback at once. Roll back with --pause-automation "
            "(`app resume` ends the pause), or revert the commit in Git."
        )
    if request.revision and request.revision != (app.source.revision.value or HEAD):
        return (
            f"{app.id} is synced automatically, which would undo this at once. Change its revision in the manifest, "
            "or (Argo CD) turn automated sync off there; `app rollback ID --pause-automation` goes back to an earlier "
            "deployment."
        )
    return ""


def select_keys(request: Request | None, keys: Iterable[ObjectKey]) -> frozenset[ObjectKey] | None:
    """Which of the objects are meant; None when all are. Raises InvalidManifest when none is."""
    if request is None or not request.resources:
        return None
    found = frozenset(key for key in keys if request.selects(key))
    if not found:
        words = ", ".join(str(item) for item in request.resources[:5])
        raise InvalidManifest(f"No object of the application fits {words}: see `gitops-workers app get`.")
    return found
