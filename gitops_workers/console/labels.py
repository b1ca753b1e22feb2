"""How values are written for people: ages, colours, short revisions, links that are safe to follow. Pure."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus
from gitops_workers.core.source.urls import without_credentials
from gitops_workers.core.status.rows import Status
from gitops_workers.core.status.trouble import failing

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

_COLOURS = {
    **dict.fromkeys((SyncStatus.SYNCED, HealthStatus.HEALTHY, HealthStatus.CURRENT, Phase.SUCCEEDED), "success"),
    **dict.fromkeys((HealthStatus.PROGRESSING, HealthStatus.IN_PROGRESS, Phase.RUNNING), "active"),
    **dict.fromkeys(
        (SyncStatus.OUT_OF_SYNC, HealthStatus.MISSING, HealthStatus.TERMINATING, Phase.TERMINATING), "warning"
    ),
    **dict.fromkeys(
        (HealthStatus.DEGRADED, HealthStatus.FAILED, HealthStatus.NOT_FOUND, Phase.FAILED, Phase.ERROR), "danger"
    ),
}
_COLOUR_OF = {word.value: colour for word, colour in _COLOURS.items()}

# Besides control characters: marks that reverse or hide the text around them, so that a name reads as another.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def colour(word: str) -> str:
    """The colour class of a sync status, health status or phase: success, active, warning, danger or neutral."""
    return _COLOUR_OF.get(word, "neutral")


def plain(text: object) -> str:
    """Text without control characters and without marks that change the direction of what follows."""
    return _UNSEEN.sub("\ufffd", str(text))


def age(at: str, now: datetime) -> str:
    """`3 min ago`, `in 20 s`, `just now`; "" for no time, the text itself when it is none.

    >>> age("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, 3, 20, tzinfo=UTC))
    '3 min ago'
    """
    moment = parse_time(at)
    if moment is None:
        return plain(at)
    seconds = (now - moment).total_seconds()
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            text = f"{int(abs(seconds) // size)} {unit}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def absolute(at: str) -> str:
    """`2026-11-23 10:00:00 UTC`, for the title of an age."""
    moment = parse_time(at)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else plain(at)


def when(at: object, now: datetime) -> str:
    """HTML: the age, with the absolute time in its title."""
    text = str(at)
    return (
        f'<time datetime="{escape(plain(text))}" title="{escape(absolute(text))}">{escape(age(text, now))}</time>'
        if text
        else '<span class="value-missing">&mdash;</span>'
    )


def parse_time(at: str) -> datetime | None:
    """An RFC 3339 time in UTC; None when it is none."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def duration(seconds: float) -> str:
    """`0 s`, `340 ms`, `12 s`, `4 min`: how long something has waited."""
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"


def short(revision: str) -> str:
    """A commit cut to the eight digits people compare; anything else as it is."""
    return revision[:8] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", revision) else plain(revision)


def row_colour(status: Status) -> str:
    """The colour of a row's reason: danger where something failed, else that of its health or its sync status."""
    if failing(status):
        return "danger"
    found = {colour(status.health.value), colour(status.sync.value)}
    return next((word for word in ("danger", "warning", "active") if word in found), "neutral")


def sync_colour(status: Status) -> str:
    """The colour of a sync status: one that is unknown because something failed is an error, and no mere absence."""
    if status.sync is SyncStatus.UNKNOWN and failing(status):
        return "danger"
    return colour(status.sync.value)


def safe_link(url: str) -> str:
    """The address behind a link, without credentials; "" for everything that is not http or https."""
    text = without_credentials(url)
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.hostname and not _UNSEEN.search(url) else ""


def sync_command(app: str) -> str:
    """What to type to sync an application: the console itself changes nothing."""
    return f"gitops-workers app sync {shlex.quote(plain(app))}"


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """The lines of a unified diff with the class of their colour: added, removed, hunk or same."""
    marks = {"+": "added", "-": "removed", "@": "hunk"}
    return [(marks.get(line[:1], "same"), plain(line)) for line in diff.split("\n")]
