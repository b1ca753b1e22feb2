"""Event sinks by the name that `GITOPS_EVENT_SINKS` gives them.

A new sink is one module here and one line in SINKS:

1. Write `adapters/sinks/chat.py` with a class whose `__init__(self, target: str)` takes what the setting says behind
   `chat=`, raising InvalidManifest for what it cannot use, and whose `deliver(self, event)` is the port's
   (`ports.events.EventSink`): it has its own timeout of at most five seconds, and it tells by the class of its error
   whether the event is to be tried again.
2. Add `"chat": ChatSink` to SINKS.

Thread, cursor, retries, bounds, figures and log lines are `runtime.event_delivery`'s and the same for every sink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gitops_workers.adapters.sinks.webhook import WebhookSink
from gitops_workers.core.errors import InvalidManifest
from gitops_workers.ports import EventSink

SINKS: Mapping[str, Callable[[str], EventSink]] = {
    "webhook": WebhookSink,
}


def open_sinks(
    texts: Sequence[str], known: Mapping[str, Callable[[str], EventSink]] = SINKS
) -> Mapping[str, EventSink]:
    """The sinks of `GITOPS_EVENT_SINKS`, by name. Raises InvalidManifest, whose message repeats no target."""
    found: dict[str, EventSink] = {}
    for text in texts:
        name, _, target = text.partition("=")
        if name not in known:
            raise InvalidManifest(f"GITOPS_EVENT_SINKS: {name!r} is no event sink; known are {', '.join(known)}.")
        if name in found:
            raise InvalidManifest(f"GITOPS_EVENT_SINKS: {name!r} stands twice; name each event sink once.")
        found[name] = known[name](target)
    return found
