"""Status rows: one writer each, and indexes that answer a listing without looking at the other rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

from gitops_workers import redis_keys as keys
from gitops_workers.core.model import AppId, Phase
from gitops_workers.core.status.listing import (
    FAILING,
    HEALTH_ORDER,
    ORDERS,
    RESTING,
    SYNC_ORDER,
    index_fields,
    sort_keys,
)
from gitops_workers.core.status.rows import Status
from gitops_workers.core.status.staleness import marked
from gitops_workers.ports import StatusPage, StatusQuery
from gitops_workers.redis_client import RedisClient

log = structlog.get_logger()

_CODEC = TypeAdapter(Status)
_SCRIPT = Path(__file__).with_name("status.lua").read_text(encoding="utf-8")


class StatusRows:
    """The part of the port about status rows."""

    def __init__(self, client: RedisClient) -> None:
        """The client is shared with the other parts."""
        self._client = client
        self._script = client.register_script(_SCRIPT)

    def get(self, app: AppId) -> Status | None:
        """One row."""
        flat = self._script(args=("get", app))
        return _row(flat[1], flat[2], float(flat[0])) if len(flat) > 1 else None

    def save(self, status: Status, token: int, documents: Mapping[str, bytes]) -> bool:
        """One call: the comparison of tokens, the row, its place in every order, its sets, the sealed documents."""
        order = sort_keys(status)
        saved = self._script(
            args=(
                "save",
                status.id,
                token,
                *(order[name] for name in ORDERS),
                status.group,
                *index_fields(status).values(),
                _CODEC.dump_json(replace(status, stale=False), exclude_defaults=True),
                *(part for document in documents.items() for part in document),
            )
        )
        return bool(saved)

    def discard(self, app: AppId) -> None:
        """Remove the row from everywhere."""
        self._script(args=("discard", app))

    def touch(self, group: str, apps: int, checked_at: str) -> None:
        """One field for all rows of the group."""
        self._client.hset(keys.STATUS_CHECKED, group, f"{checked_at} {apps}")

    def query(self, query: StatusQuery) -> StatusPage:
        """One call."""
        order = query.sort if query.sort in ORDERS else "name"
        total, flat = self._script(
            args=(
                "query",
                order,
                int(query.descending),
                max(0, query.offset),
                max(0, query.limit),
                query.text.lower(),
                *(keys.status_set(name, value) for name, value in query.fields.items()),
            )
        )
        now = float(flat[0])
        rows = tuple(_row(content, checked, now) for content, checked in zip(flat[1::2], flat[2::2], strict=True))
        return StatusPage(rows, int(total))

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """The sizes of the sets."""
        values: Sequence[tuple[str, Any]] = [
            *(("sync", value) for value in SYNC_ORDER),
            *(("health", value) for value in HEALTH_ORDER),
            *(("outcome", value) for value in Phase),
            ("failing", FAILING),
        ]
        with self._client.pipeline(transaction=False) as pipe:
            for name, value in values:
                pipe.scard(keys.status_set("resting" if value == RESTING else name, str(value)))
            sizes = pipe.execute()
        result: dict[str, dict[str, int]] = {"sync": {}, "health": {}, "outcome": {}, "failing": {}}
        for (name, value), size in zip(values, sizes, strict=True):
            if size:
                result[name][str(value)] = size
        return result


def _row(content: bytes, checked: bytes, now: float) -> Status:
    try:
        status = _CODEC.validate_json(content)
    except ValidationError as error:
        # Another release has words that are unknown here: what can be read is shown, and the next attempt writes all.
        unread = {str(item["loc"][0]) for item in error.errors(include_url=False, include_input=False)}
        known = {name: value for name, value in orjson.loads(content).items() if name not in unread}
        log.warning("status_unreadable", application=known.get("id"), fields=sorted(unread))
        status = _CODEC.validate_python(known)
    moment = checked.decode().partition(" ")[0]
    return marked(replace(status, last_checked_at=moment) if moment > status.last_checked_at else status, now)
