"""The shapes of what the API answers, for its description and for whoever generates a client from it.

The values are those of `core.status.rows` and of the documents beside it, and what is long is sent as it is
(`written`): to read 500 rows into these shapes and write them out again takes longer than everything else about them.
That the two agree is tested.
"""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import orjson
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from gitops_workers.core.model import HealthStatus, Phase, SyncStatus

Item = TypeVar("Item")


def written(content: Any) -> Response:
    """A value of the shape that its route describes, as JSON."""
    return Response(orjson.dumps(content), media_type="application/json")


class Answer(BaseModel):
    """What all shapes share: names as JSON has them."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")


class Items(Answer, Generic[Item]):
    """A list."""

    items: list[Item]


class Page(Items[Item], Generic[Item]):
    """A part of a list."""

    total: int = Field(description="How many there are in all.")
    cursor: str | None = Field(description="For the next page; null on the last one.")


class Destination(Answer):
    """Where an application is deployed."""

    cluster: str
    namespace: str


class Sync(Answer):
    """Whether the cluster agrees with Git."""

    status: SyncStatus
    revision: str
    ref: str


class HealthOf(Answer):
    """How an application is."""

    status: HealthStatus
    message: str


class Operation(Answer):
    """The last or the running operation."""

    id: str
    phase: Phase
    message: str
    revision: str
    started_at: str
    finished_at: str | None
    initiated_by: str
    retry_count: int


class ConditionOf(Answer):
    """What is wrong, or to be known."""

    type: str
    message: str


class SourceOf(Answer):
    """Where an application's manifests come from."""

    repo_url: str = Field(alias="repoURL")
    path: str


class Application(Answer):
    """An application's row. Times are RFC 3339 in UTC."""

    id: str
    dialect: str
    project: str
    destination: Destination
    sync: Sync
    health: HealthOf
    operation: Operation | None
    conditions: list[ConditionOf]
    suspended: bool
    message: str
    last_checked_at: str | None
    next_due_at: str | None
    changed_at: str | None
    attempt: int = Field(description="The attempt that wrote the row, as log and events name it; 0: none did.")
    stale: bool = Field(description="Nobody has looked for longer than twice its interval.")
    sources: list[SourceOf]


class Resource(Answer):
    """One object of an application."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    status: SyncStatus
    health: HealthStatus | None
    message: str
    sync_wave: int


class Difference(Resource):
    """One object that differs from Git."""

    diff: str = Field(description="A unified diff, empty for an object that has left Git; Secrets are masked.")


class Differences(Items[Difference]):
    """What differs from Git, as of the last look."""

    sync: SyncStatus = Field(description="Where it is Unknown, nothing was compared: an empty list says nothing then.")
    message: str = Field(description="The reason of the last decision.")


class HistoryEntry(Answer):
    """A deployment that has ended."""

    id: int
    revision: str
    ref: str
    deployed_at: str
    initiated_by: str
    outcome: str
    rollback: Literal["exact", "commit"] = Field(
        description="Whether a rollback renders the same objects again, or the commit with the parameters of today."
    )


class ApplicationDetail(Application):
    """An application with its objects and its history."""

    depends_on: list[str]
    resources: list[Resource]
    history: list[HistoryEntry]


class NextLook(Answer):
    """When an application is looked at next."""

    at: str | None
    message: str


class Stage(Answer):
    """What the last look made of a stage."""

    name: str
    lines: list[str]


class Explanation(Answer):
    """Why an application is as it is."""

    id: str
    why: str
    next_look: NextLook
    earlier: list[str]
    stages: list[Stage]


class Happening(Answer):
    """An event."""

    id: str
    at: str
    app: str
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    operation: str
    request: str
    by: str
    source: str
    revision: str
    attempt: int = Field(description="The attempt in whose course it happened, as the log names it; 0: none.")


class Cluster(Answer):
    """A destination cluster with its queue."""

    name: str
    server: str
    fleet: str
    reachable: bool | None
    message: str
    applications: int
    queue_depth: int
    in_flight: int
    lag_seconds: float
    checked_at: str | None
    version: str
    workers: int
    unserved: str | None = Field(description="What is missing where nobody serves its fleet.")


class Accepted(Answer):
    """A wish that was stored."""

    id: str = Field(description="The application's.")
    generation: int = Field(description="That which will have served it.")


class Asked(Accepted):
    """A request that was stored."""

    request: str = Field(description="Its id, by which .../request and events know it.")


class LastRequest(Answer):
    """What was asked last, and how it ended."""

    id: str
    by: str
    phase: Phase | None = Field(description="Null until it has ended.")
    message: str
    resources: list[Difference]


class LastRefresh(Answer):
    """The last refresh that somebody asked for."""

    at: str
    by: str
    done: bool
    reason: str = Field(description="Why the last attempt could not compare.")


class Received(Answer):
    """What became of a webhook."""

    accepted: bool
    reason: str = Field("", description="Why nothing is polled for it.")
    polls: int = Field(0, description="How many repositories or catalogues are polled for it.")
