"""The API does what its description says: requests made from it, good and bad ones, on the real application."""

from __future__ import annotations

from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gitops_workers.core.model import Phase, SyncStatus
from gitops_workers.core.status.rows import ClusterView, Event, OperationView, ResourceView
from gitops_workers.web.app import create_app
from tests.fleet import application, fill, fleet
from tests.web_world import WRITE, World, bearer
from tests.webhook_requests import SECRETS

APP = "/api/v1/applications/{app}"
BOUNDED = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def _application() -> FastAPI:
    world = World()
    rows = fill(world.state, 40)
    world.state.save_applications([application(row.id) for row in rows])
    for row in rows:
        world.queue.enroll(row.id, row.cluster, "default")
    return create_app(world.services(webhook_secrets=SECRETS))


THERE = next(fleet(1)).id
# Streams do not end, and are asked in tests of their own.
schema = schemathesis.openapi.from_asgi("/api/openapi.json", _application()).exclude(path="/api/v1/events")


@schema.parametrize()
@BOUNDED
def test_every_answer_is_as_described(case: Any) -> None:
    excluded = []
    if case.operation.path.startswith(("/api/webhook", "/hook/")):
        excluded = [positive_data_acceptance]  # a webhook is proven by headers that no description can make up
    if case.operation.path == "/readyz":
        excluded = [not_a_server_error]  # nobody works here, and `strict` says so
    case.call_and_validate(headers=bearer(WRITE), excluded_checks=excluded)


@schema.include(path_regex="[{]app[}]").parametrize()
@BOUNDED
def test_every_answer_about_an_application_that_is_there_is_as_described(case: Any) -> None:
    case.path_parameters["app"] = THERE
    # Options may contradict each other or name what no history has: that is refused with its reason.
    case.call_and_validate(headers=bearer(WRITE), excluded_checks=[positive_data_acceptance])


def test_every_reference_of_the_description_can_be_resolved() -> None:
    document = schema.raw_schema
    found: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for item in value.values():
                collect(item)
        elif isinstance(value, list):
            for item in value:
                collect(item)

    collect(document)
    assert found
    for reference in found:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_path_has_a_typed_answer_its_problems_and_its_token() -> None:
    for path, operations in schema.raw_schema["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            for status, answer in answers.items():
                media = answer["content"]
                if status.startswith("2"):
                    json = media.get("application/json")
                    assert json is None or json["schema"].get("$ref"), (method, path)
                else:
                    assert "application/problem+json" in media, (method, path, status)
                    assert "application/json" not in media, (method, path, status)
            assert {"500", "503"} <= set(answers), (method, path)
            assert bool(operation.get("security")) == path.startswith(("/api/v1", "/metrics")), (method, path)


def test_no_answer_has_a_field_that_is_not_described() -> None:
    """What is added to a status and not to the description would be found by nobody who reads the description."""
    schemas = schema.raw_schema["components"]["schemas"]
    event = Event("2026-11-23T00:00:00Z", THERE, "Normal", "R", "m")
    view = ResourceView("", "v1", "ConfigMap", "shop", "a", SyncStatus.SYNCED, None)
    for name, shown in {
        "Application": next(fleet(1)).to_json(),
        "Cluster": ClusterView("east", "", "", None, "", 0, 0, 0, 0.0, "").to_json(),
        "Happening": event.to_json(),
        "Resource": view.to_json(),
        "Operation": OperationView(Phase.RUNNING, "", "", "").to_json(),
    }.items():
        assert set(shown) == set(schemas[name]["properties"]), name
