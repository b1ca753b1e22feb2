"""An attempt decides by the newest settings that any worker has read, never by older ones of its own process.

The document `settings/` names the version in force. A worker whose own reading differs reads again; if it still has
the older text, it leaves the attempt to a worker that has the newer one.
"""

from __future__ import annotations

from typing import Any

import structlog

from gitops_workers.core.errors import Superseded
from gitops_workers.core.settings.readings import Heard, heard
from gitops_workers.core.settings.settings_version import (
    SettingsVersion,
    Standing,
    from_document,
    standing,
    to_document,
)
from gitops_workers.pipeline.context import World
from gitops_workers.ports import State

log = structlog.get_logger()

KIND = "settings"
WHOLE = ""
"""Its key: there is one for the installation."""


def check(world: World, document: Any) -> str:
    """The digest that the attempt decides by, "" where this process has none. `document`: as stored a moment ago.

    Raises Superseded where a worker has read newer settings than this one can.
    """
    stored = from_document(document)
    if stored is not None and stored.digest == world.settings.digest():
        return stored.digest
    return _read_again(world, stored)


def in_force(state: State) -> SettingsVersion | None:
    """The version in force, None where no worker has read settings yet."""
    return from_document(state.load(KIND, WHOLE))


def publish(world: World) -> None:
    """Read the settings again and put them in force where they are newer, before anything is declared by them."""
    try:
        _read_again(world, in_force(world.state))
    except Superseded as error:
        log.info("settings_older", reason=str(error))  # no setting decides what a catalogue declares


def _read_again(world: World, stored: SettingsVersion | None) -> str:
    own, since = world.settings.read(world.queue.now)
    if not own:
        return ""  # nothing was ever read: `Rules.check` says what that means
    told = heard(world.presence()) if stored and stored.digest != own else Heard()
    now = world.queue.now()
    match standing(own, since, stored, told, now):
        case Standing.NEWER:
            found = stored.followed_by(own, now, told) if stored else SettingsVersion(own, now)
            world.state.save(KIND, WHOLE, to_document(found))
            log.info("settings_in_force", settings=own, before=stored.digest if stored else "")
        case Standing.OLDER:
            others = stored.digest if stored else ""
            raise Superseded(f"Settings {others} are in force, and this worker still reads {own} from its files.")
        case Standing.SAME:
            pass
    return own
