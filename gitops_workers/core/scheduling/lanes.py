"""Lanes of the due queue: what is admitted together, so that whoever does not answer holds up itself alone.

A lane is one text. A cluster's is its name, for its applications and its polls. A Git host's begins with `HOST`, for
the polls of its repositories: a repository belongs to no cluster, and no cluster's outage may stop its polls.
"""

from __future__ import annotations

from urllib.parse import urlsplit

HOST = "//"
"""As in a URL. No cluster is named so, and where several lanes have waited equally long, repositories go first: what
their polls find is work for the others."""
LOCAL = "localhost"
"""The host of `file://` URLs and plain paths."""
_PORTS = {"https": 443, "http": 80, "ssh": 22}


def host_lane(url: str) -> str:
    """The lane of a repository's host, whatever the scheme; a port of its own is a server of its own.

    >>> host_lane("https://GitHub.com/team/app.git"), host_lane("git@github.com:team/app")
    ('//github.com', '//github.com')
    >>> host_lane("http://git.example.com:3000/app"), host_lane("file:///srv/app.git"), host_lane("")
    ('//git.example.com:3000', '//localhost', '//localhost')
    """
    return HOST + host_of(url)


def host_of(url: str) -> str:
    """The host of a repository's URL, in lower case, with its port where that is not the scheme's own."""
    text = url.strip()
    if "://" not in text:
        place, colon, _ = text.partition(":")
        return place.rpartition("@")[2].lower() if colon and "/" not in place else LOCAL
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return LOCAL  # nothing is fetched from such a URL: whoever tries is refused before any request
    host = (parts.hostname or LOCAL).rstrip(".")
    return host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"
