"""`/api/docs`: the OpenAPI description as one page that needs no script and nothing from the internet."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gitops_workers.web.problems import CODES

router = APIRouter(include_in_schema=False)

_STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
section{border-top:1px solid #8884;padding:.5rem 0}code{font-size:.95em}h2{font-size:1.05rem;margin:.6rem 0 .2rem}
b{display:inline-block;min-width:3.5rem;color:#237a3b}p{margin:.3rem 0;white-space:pre-line}ul{margin:.3rem 0}
"""


@router.get("/api/docs", response_class=HTMLResponse)
async def docs(request: Request) -> str:
    """Describe every path for people; programs read `/api/openapi.json`."""
    description = request.app.openapi()
    title = escape(description["info"]["title"])
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>{escape(description['info'].get('description', ''))}</p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a></p>'
        + "".join(_sections(description))
        + _problems()
        + "</html>"
    )


def _sections(description: dict[str, Any]) -> Iterator[str]:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            yield f"<section><h2><b>{escape(method.upper())}</b><code>{escape(path)}</code></h2>"
            yield f"<p>{escape(operation.get('description', operation.get('summary', '')))}</p>"
            options = [*operation.get("parameters", ()), *_fields(operation, description)]
            if options:
                yield "<ul>" + "".join(_option(option) for option in options) + "</ul>"
            yield "</section>"


def _problems() -> str:
    """The codes of refusals; a problem's `type` points here."""
    rows = "".join(f"<li id={code}><code>{code}</code> {escape(text)}</li>" for code, text in CODES.items())
    return f"<section><h2>Problems</h2><p>Errors are application/problem+json (RFC 9457).</p><ul>{rows}</ul></section>"


def _fields(operation: dict[str, Any], description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {})
    name = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = description["components"]["schemas"].get(name, {})
    for name, field in schema.get("properties", {}).items():
        yield {"name": name, "in": "body", "schema": field}


def _option(option: dict[str, Any]) -> str:
    schema = option.get("schema", {})
    words = [option["in"], str(schema.get("type", "")), option.get("description") or schema.get("description", "")]
    if values := schema.get("enum"):
        words.append("one of " + ", ".join(map(str, values)))
    return f"<li><code>{escape(option['name'])}</code> {escape(', '.join(word for word in words if word))}</li>"
