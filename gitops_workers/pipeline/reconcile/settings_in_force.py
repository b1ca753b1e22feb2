"""An attempt decides by the newest settings that any worker has read, never by older ones of its own process.

The document `settings/` names the version in force. A worker whose own reading differs reads again; if it still has
the older text, it leaves the attempt to a worker that has the newer one.
"""

from __future__ import annotations

import structlog

from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import SETTINGS
from gitops_workers.core.errors import Superseded
from gitops_workers.core.settings.readings import Heard, heard
from gitops_workers.core.settings.settings_version import Freshness, SettingsVersion, freshness
from gitops_workers.pipeline.context import Context
from gitops_workers.ports import State

log = structlog.get_logger()


def check(context: Context, stored: SettingsVersion | None) -> str:
    """The digest that the attempt decides by, "" where this process has none. `stored`: a moment ago.

    Raises Superseded where a worker has read newer settings than this one can.
    """
    if stored is not None and stored.digest == context.settings.digest():
        return stored.digest
    return _read_again(context, stored)


def in_force(state: State) -> SettingsVersion | None:
    """The version in force, None where no worker has read settings yet."""
    return state.load(SETTINGS, WHOLE)


def publish(context: Context) -> None:
    """Read the settings again and put them in force where they are newer, before anything is declared by them."""
    try:
        _read_again(context, in_force(context.state))
    except Superseded as error:
        log.info("settings_older", reason=str(error))  # no setting decides what a catalogue declares


def _read_again(context: Context, stored: SettingsVersion | None) -> str:
    own, since = context.settings.read(context.queue.now)
    if not own:
        return ""  # nothing was ever read: `Rules.check` says what that means
    told = heard(context.presence()) if stored and stored.digest != own else Heard()
    now = context.queue.now()
    match freshness(own, since, stored, told, now):
        case Freshness.NEWER:
            found = stored.followed_by(own, now, told) if stored else SettingsVersion(own, now)
            context.state.save(SETTINGS, WHOLE, found)
            log.info("settings_in_force", settings=own, before=stored.digest if stored else "")
        case Freshness.OLDER:
            others = stored.digest if stored else ""
            raise Superseded(f"Settings {others} are in force, and this worker still reads {own} from its files.")
        case Freshness.SAME:
            pass
    return own
