"""Errors, named by what the caller does next.

    GitOpsError
    ├── Refused            a human must change something; retrying alone never helps
    │   ├── NoSuchApplication  no application has this name for the caller: name another, or wait for the catalogue
    │   ├── InvalidManifest    a field of an Application, Kustomization, Secret ... is wrong (file and path in it)
    │   │   ├── AmbiguousName      a name means several applications: write the id of one
    │   │   ├── NoSuchEntry        the history has no entry with this id: name one that it has
    │   │   └── WrongKey           what is stored was sealed with another key: give this process the workers' key
    │   ├── RenderFailed       the content of this commit cannot become objects
    │   ├── PolicyRefused      the objects are not allowed where they want to go
    │   ├── PruneRefused       a delete would not be safe, or needs consent
    │   ├── ApplyRefused       the API server says no to an object
    │   │   └── InvalidObject      it cannot become what the manifest says: other ways of writing it may do
    │   └── UnsafeContent      a path, URL, archive or document that tries to leave its bounds
    ├── Retry              try again later with backoff; nothing is known to be wrong with the input
    │   ├── SourceUnavailable  the repository cannot be read: refused, cut short, nonsense
    │   │   ├── HostUnavailable    its host does not answer at all, so none of its repositories can be read
    │   │   └── SubmoduleUnavailable  so does that of a submodule, which concerns who reads it and nobody else
    │   ├── ClusterUnavailable the API server does not answer, or refuses our credential
    │   │   └── ServerFailed       it answered with an error of its own: about this object, or about everything
    │   ├── Throttled          the server named a time: wait `retry_after` seconds
    │   └── Incomplete         a read was cut short: unknown, never empty
    ├── Deferred           there is no room for it now; give the turn back quietly and come again in a moment
    └── Superseded         somebody newer owns the work; end quietly, it is an outcome and no failure

Every message is one sentence or two: which thing, what was found, what to do. Messages reach statuses, so they never
hold a secret: whoever raises with text from outside passes it through `core.text.redact` first.
"""

from __future__ import annotations


class GitOpsError(Exception):
    """The root: everything this project raises on purpose."""


class Refused(GitOpsError):
    """A human must change the manifest, the repository or a setting."""


class InvalidManifest(Refused):
    """A manifest field is wrong; the message starts with the file and the field's path."""


class NoSuchApplication(Refused):
    """No application has this id or name, as far as the caller may know."""


class AmbiguousName(InvalidManifest):
    """A name means several applications; the message lists their ids."""


class NoSuchEntry(InvalidManifest):
    """The history has no entry with this id; the message lists those it has."""


class WrongKey(InvalidManifest):
    """What is stored of an application was sealed with another key than this process has."""


class RenderFailed(Refused):
    """This commit's content cannot become objects; remembered for its inputs."""


class UnsafeContent(RenderFailed):
    """Content that tries to leave its bounds: path traversal, bombs, remote bases."""


class PolicyRefused(Refused):
    """A rendered object is not allowed by the application's project."""


class PruneRefused(Refused):
    """Deleting would rest on doubt or needs explicit consent."""


class ApplyRefused(Refused):
    """The API server refused an object (4xx that a retry does not change)."""


class InvalidObject(ApplyRefused):
    """What would come of a write is not valid (422), or an apply cannot express it.

    A full update, or a new object, may do.
    """


class Retry(GitOpsError):
    """Try again with backoff."""


class SourceUnavailable(Retry):
    """The repository cannot be read now; the last state stays."""


class HostUnavailable(SourceUnavailable):
    """The Git host does not answer: what is known of one of its repositories is known of all."""


class SubmoduleUnavailable(SourceUnavailable):
    """A submodule's repository cannot be read now, while the one that it is in can."""


class ClusterUnavailable(Retry):
    """The cluster cannot be reached or refuses the credential; nothing is changed or deleted."""


class ServerFailed(ClusterUnavailable):
    """The API server failed at one request (5xx). Whether it fails at all of them is not known yet."""


class Throttled(Retry):
    """The API server named a time to wait (429, Retry-After)."""

    def __init__(self, message: str, retry_after: float) -> None:
        """`retry_after` is in seconds, at least the server's own figure."""
        super().__init__(message)
        self.retry_after = retry_after


class Incomplete(Retry):
    """A listing or discovery was cut short: its result is unknown, never empty."""


class Deferred(GitOpsError):
    """Others wait already for what this would wait for; a thread is worth more than a place in that line."""


class Superseded(GitOpsError):
    """A newer generation owns the application."""
