"""The OpenAPI document: FastAPI's, with the shapes that are read by hand and the errors that every path has."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gitops_workers.web.options import BODIES
from gitops_workers.web.problems import Problem

REFERENCE = "#/components/schemas/{model}"
TOKEN = HTTPBearer(auto_error=False, scheme_name="token", description="A token of GITOPS_TOKENS.")
"""Documents the token of a router's paths; `web.access` is what asks for it."""


def describe(app: FastAPI) -> dict[str, Any]:
    """Build the document once; every `$ref` in it can be resolved."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _, found = models_json_schema([(model, "validation") for model in (*BODIES, Problem)], ref_template=REFERENCE)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(found["$defs"])
        app.openapi_schema = document
    return app.openapi_schema


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """A request body that the route reads by itself, after its caller was let in."""
    content = {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}
    return {"requestBody": {"content": content, "required": True}}
