"""The OpenAPI document, in the version 3.1 that validators and generators of clients read."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from app.schemas import Problem

_EVENTS = {"description": "Events of the names `progress` and `end`, whose data are a job, as JSON."}
_SECURITY: list[dict[str, list[str]]] = [{}, {"key": []}]
"""A key is sent where the service has keys, and none elsewhere. It stands for all operations, as some generators take
one that names it for one that requires a key."""


def binary(*media_types: str) -> dict[str, Any]:
    """Describe an answer of bytes. The last, general type is for generators that know no other one of bytes."""
    kinds = (*media_types, "application/octet-stream")
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


def parameters_of(model: type[BaseModel]) -> dict[str, Any]:
    """Describe an operation whose parameters, those of a class, come in the query or in a JSON body."""
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    for value in properties.values():
        value.pop("default", None)  # some generated clients would send it in both places
    query = [
        {"name": name, "in": "query", "schema": value, "description": value["description"]}
        for name, value in properties.items()
    ]
    body = {"title": model.__name__, "type": "object", "properties": properties, "additionalProperties": False}
    return {"parameters": query, "requestBody": {"content": {"application/json": {"schema": body}}}}


def install(app: FastAPI) -> None:
    """Let the application serve its document as generators need it, and a page that shows it."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        document = build()
        document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        document["security"] = _SECURITY
        for operation in _operations(document):
            _mend(operation)
        return document

    async def docs(_request: Request) -> HTMLResponse:
        return get_swagger_ui_html(openapi_url="openapi.json", title=app.title)  # beside it, below any prefix

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_route("/docs", docs, include_in_schema=False)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _mend(operation: dict[str, Any]) -> None:
    """Say the same in words that generators know."""
    if operation.pop("security", None) is None:
        operation["security"] = []  # open to all; the others are as the document says on the whole
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        if "text/event-stream" in content:  # the framework describes events as version 3.2 does
            content["text/event-stream"] = {"schema": _EVENTS}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a parameter that may be left out: in a query or a header, there is no null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **kinds[0]} if len(kinds) == 1 else schema
