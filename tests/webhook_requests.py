"""Requests as Git servers send them: headers and bodies of the shape of each provider's own documentation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

SECRET = b"a shared secret"
Request = tuple[dict[str, str], bytes]


def signature(body: bytes, secret: bytes = SECRET, algorithm: str = "sha256") -> str:
    """The hexadecimal HMAC of a body."""
    return hmac.new(secret, body, algorithm).hexdigest()


def _json(headers: dict[str, str], payload: Any) -> Request:
    return {"content-type": "application/json", **headers}, json.dumps(payload).encode()


def github(secret: bytes = SECRET, event: str = "push", **changes: Any) -> Request:
    payload = {
        "ref": "refs/heads/main",
        "before": "0" * 40,
        "after": "1" * 40,
        "repository": {
            "full_name": "Org/App",
            "html_url": "https://github.com/Org/App",
            "clone_url": "https://github.com/Org/App.git",
            "ssh_url": "git@github.com:Org/App.git",
            "default_branch": "main",
        },
        "commits": [{"added": ["a.yaml"], "modified": ["b/c.yaml"], "removed": []}],
        **changes,
    }
    headers, body = _json({"x-github-event": event}, payload)
    return {**headers, "x-hub-signature-256": "sha256=" + signature(body, secret)}, body


def gitlab(secret: bytes = SECRET, event: str = "Push Hook", **changes: Any) -> Request:
    payload = {
        "object_kind": "push",
        "event_name": "push",
        "ref": "refs/heads/main",
        "project": {
            "web_url": "https://gitlab.example.com/org/app",
            "git_http_url": "https://gitlab.example.com/org/app.git",
            "git_ssh_url": "ssh://git@gitlab.example.com:2222/org/app.git",
            "default_branch": "main",
        },
        "commits": [{"added": [], "modified": ["x"], "removed": ["y"]}],
        **changes,
    }
    return _json({"x-gitlab-event": event, "x-gitlab-token": secret.decode("latin-1")}, payload)


def bitbucket(secret: bytes = SECRET, event: str = "repo:push", **changes: Any) -> Request:
    payload = {
        "repository": {
            "full_name": "org/app",
            "links": {"html": {"href": "https://bitbucket.org/org/app"}},
            "mainbranch": {"name": "main"},
        },
        "push": {
            "changes": [
                {"new": {"type": "branch", "name": "main"}, "old": {"type": "branch", "name": "main"}},
                {"new": None, "old": {"type": "branch", "name": "gone"}},
            ]
        },
        **changes,
    }
    return _json({"x-event-key": event, "x-hook-uuid": secret.decode("latin-1")}, payload)


def bitbucket_server(secret: bytes = SECRET, event: str = "repo:refs_changed", **changes: Any) -> Request:
    payload = {
        "eventKey": "repo:refs_changed",
        "repository": {
            "slug": "app",
            "project": {"key": "ORG"},
            "links": {
                "clone": [
                    {"href": "https://bitbucket.example.com/scm/org/app.git", "name": "http"},
                    {"href": "ssh://git@bitbucket.example.com:7999/org/app.git", "name": "ssh"},
                ],
                "self": [{"href": "https://bitbucket.example.com/projects/ORG/repos/app/browse"}],
            },
        },
        "changes": [{"ref": {"id": "refs/heads/main"}, "refId": "refs/heads/main", "type": "UPDATE"}],
        **changes,
    }
    headers, body = _json({"x-event-key": event}, payload)
    return {**headers, "x-hub-signature": "sha256=" + signature(body, secret)}, body


def gogs_like(product: str) -> Callable[..., Request]:
    def build(secret: bytes = SECRET, event: str = "push", **changes: Any) -> Request:
        payload = {
            "ref": "refs/heads/main",
            "repository": {
                "html_url": "https://git.example.com/org/app",
                "clone_url": "https://git.example.com/org/app.git",
                "ssh_url": "git@git.example.com:org/app.git",
                "default_branch": "main",
            },
            "commits": [{"added": ["n"], "modified": [], "removed": []}],
            **changes,
        }
        headers, body = _json({}, payload)
        # Each product also sends the headers of those it grew out of.
        family = {"gogs": ("gogs",), "gitea": ("gitea", "gogs"), "forgejo": ("forgejo", "gitea", "gogs")}[product]
        for name in family:
            headers |= {f"x-{name}-event": event, f"x-{name}-signature": signature(body, secret)}
        return {**headers, "x-github-event": event}, body

    return build


def azure_devops(secret: bytes = b"user:a shared secret", event: str = "git.push", **changes: Any) -> Request:
    payload = {
        "eventType": event,
        "resource": {
            "refUpdates": [{"name": "refs/heads/main", "oldObjectId": "0" * 40, "newObjectId": "1" * 40}],
            "repository": {
                "remoteUrl": "https://dev.azure.com/org/project/_git/app",
                "defaultBranch": "refs/heads/main",
            },
        },
        **changes,
    }
    login = base64.b64encode(secret).decode()
    return _json({"x-vss-activityid": "5d8", "authorization": f"Basic {login}"}, payload)


BUILDERS: dict[str, Callable[..., Request]] = {
    "github": github,
    "gitlab": gitlab,
    "bitbucket": bitbucket,
    "bitbucket-server": bitbucket_server,
    "gogs": gogs_like("gogs"),
    "gitea": gogs_like("gitea"),
    "forgejo": gogs_like("forgejo"),
    "azure-devops": azure_devops,
}
SECRETS = {name: b"user:a shared secret" if name == "azure-devops" else SECRET for name in BUILDERS}
REPOSITORIES = {
    "github": "github.com/org/app",
    "gitlab": "gitlab.example.com/org/app",
    "bitbucket": "bitbucket.org/org/app",
    "bitbucket-server": "bitbucket.example.com/org/app",
    "gogs": "git.example.com/org/app",
    "gitea": "git.example.com/org/app",
    "forgejo": "git.example.com/org/app",
    "azure-devops": "dev.azure.com/org/project/app",
}


def hook_path(token: bytes, name: str, namespace: str) -> str:
    """The path of a Flux Receiver, computed as its documentation says."""
    return "/hook/" + hashlib.sha256(token + name.encode() + namespace.encode()).hexdigest()
