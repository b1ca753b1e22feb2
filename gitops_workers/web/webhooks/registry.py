"""Which provider sent a request: Argo CD's order by header (3.5, util/webhook), with Gitea and Forgejo named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitops_workers.web.webhooks import azure_devops, bitbucket_cloud, bitbucket_server, github, gitlab, gogs
from gitops_workers.web.webhooks.event import Admit, Body, Headers, Ignored, PushEvent, Read, Rejected


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of Git server. `name` is what its secret is configured under."""

    name: str
    matches: Callable[[Headers], bool]
    admit: Admit
    read: Read


PROVIDERS = (
    Provider("azure-devops", azure_devops.matches, azure_devops.admit, azure_devops.read),
    # Before Gogs and GitHub, whose headers they send too.
    Provider("forgejo", gogs.matcher("forgejo"), gogs.admitter("forgejo"), gogs.reader("forgejo")),
    Provider("gitea", gogs.matcher("gitea"), gogs.admitter("gitea"), gogs.reader("gitea")),
    Provider("gogs", gogs.matcher("gogs"), gogs.admitter("gogs"), gogs.reader("gogs")),
    Provider("github", github.matches, github.admit, github.read),
    Provider("gitlab", gitlab.matches, gitlab.admit, gitlab.read),
    # Before Bitbucket Server: both send X-Event-Key.
    Provider("bitbucket", bitbucket_cloud.matches, bitbucket_cloud.admit, bitbucket_cloud.read),
    Provider("bitbucket-server", bitbucket_server.matches, bitbucket_server.admit, bitbucket_server.read),
)
NAMES = tuple(provider.name for provider in PROVIDERS)


@dataclass(frozen=True, slots=True)
class Received:
    """A verified request: whose it was, and what it says."""

    provider: str
    event: PushEvent | Ignored


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose headers are in order."""

    provider: Provider
    secret: bytes = field(repr=False)
    ignored: Ignored | None = None
    """Set when its body does not matter."""

    def read(self, headers: Headers, body: Body) -> Received:
        """Verify and read the body. Raises Rejected."""
        return Received(self.provider.name, self.ignored or self.provider.read(headers, body, self.secret))


def admit(headers: Headers, secrets: Mapping[str, bytes]) -> Admitted:
    """Whose request it is, and whether its body is worth reading; `secrets` by provider name. Raises Rejected.

    A server that sends the headers of several providers is read as the first of them that has a secret. Without any,
    the endpoint is off for that provider: an unsigned webhook is nobody's.
    """
    senders = [provider for provider in PROVIDERS if provider.matches(headers)]
    if not senders:
        raise Rejected(f"no header tells who sent this; the Git servers known here are {', '.join(NAMES)}")
    for provider in senders:
        if secret := secrets.get(provider.name):
            return Admitted(provider, secret, provider.admit(headers, secret))
    name = senders[0].name
    raise Rejected(f"webhooks of {name} are off: set a secret for {name} in GITOPS_WEBHOOK_SECRETS", 404)


def receive(headers: Headers, body: Body, secrets: Mapping[str, bytes]) -> Received:
    """Verify and read a request whose body is here already. Raises Rejected."""
    return admit(headers, secrets).read(headers, body)
