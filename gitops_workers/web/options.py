"""What requests may be told. Anything else is refused, so that no option is silently without effect."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gitops_workers.core.model import Dialect, HealthStatus, Phase, SyncStatus
from gitops_workers.core.prune.deletion_request import Cascade
from gitops_workers.core.sync import request as requests
from gitops_workers.services.listing import Sort
from gitops_workers.web.listing import CURSOR


def _one_of(words: type[SyncStatus | HealthStatus | Dialect | Phase]) -> tuple[AfterValidator, object]:
    """One of these words, or "" for any; also a word of one letter's difference is refused, never an empty list."""
    allowed = ["", *(word.value for word in words)]

    def check(value: str) -> str:
        if value not in allowed:
            text = "found {found}; allowed are {allowed}"
            raise PydanticCustomError("one_of", text, {"found": repr(value[:40]), "allowed": ", ".join(allowed[1:])})
        return value

    return AfterValidator(check), Field(json_schema_extra={"enum": list(allowed)})


def _whole(value: object) -> object:
    """3.0 is an integer in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Filters(BaseModel):
    """Which applications a listing wants; empty means any."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field("", max_length=253, description="A part of the id.")
    sync: Annotated[str, *_one_of(SyncStatus)] = Field("", description="Whether it agrees with Git.")
    health: Annotated[str, *_one_of(HealthStatus)] = Field("", description="A health status.")
    project: str = Field("", max_length=253, description="An Argo CD project.")
    cluster: str = Field("", max_length=253, description="A destination cluster by name.")
    dialect: Annotated[str, *_one_of(Dialect)] = Field("", description="Whose manifest it is.")
    outcome: Annotated[str, *_one_of(Phase)] = Field("", description="The phase of the last operation.")
    failing: bool = Field(False, description="Only those with which something is wrong.")
    sort: Sort = Sort.NAME
    descending: bool = False
    limit: int = Field(50, ge=1, le=500, description="Rows of one page.")
    cursor: str = Field("", pattern=CURSOR, description="That of the last answer.")


class SyncOptions(BaseModel):
    """What a sync may be told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prune: bool = Field(False, description="Delete what is no longer in Git, as much as it may be.")
    revision: str = Field("", max_length=requests.LONGEST_TEXT, description="Sync this instead of targetRevision.")
    resources: list[str] = Field(
        [],
        max_length=requests.MOST_SELECTORS,
        description="Only these objects, or all but these: [!]GROUP:KIND:[NAMESPACE/]NAME.",
    )
    dry_run: bool = Field(False, alias="dryRun", description="Show what would be done, at .../request.")
    force: bool = Field(False, description="Delete and create an object whose immutable field changed.")


class RollbackOptions(BaseModel):
    """What a rollback may be told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[int, BeforeValidator(_whole)] = Field(ge=0, description="The entry of the history to deploy again.")
    prune: bool = Field(False, description="Delete what was not there then.")
    pause_automation: bool = Field(
        False, alias="pauseAutomation", description="Sync no more by itself until it is resumed."
    )


class DeleteOptions(BaseModel):
    """How an application is deleted."""

    model_config = ConfigDict(extra="forbid")

    cascade: Cascade | None = Field(None, description="`orphan` keeps the objects; the manifest's choice if not given.")


class NoOptions(BaseModel):
    """`{}`."""

    model_config = ConfigDict(extra="forbid")


BODIES = (SyncOptions, RollbackOptions, DeleteOptions, NoOptions)
