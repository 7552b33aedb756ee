"""The OpenAPI document, in version 3.1, which validators and client generators can read."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

from app.schemas import GenerateQuery, Problem

_BODY_SCHEMA = "GenerateRequest"
_EVENT_SCHEMA = {"description": "Events named `progress` and `end`. The data of each is the job, as JSON."}


def binary_content(*media_types: str) -> dict[str, Any]:
    """Document a response of bytes. Some client generators only know the general type, which comes last."""
    kinds = (*media_types, "application/octet-stream")
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


def query_or_body_docs() -> dict[str, Any]:
    """Document an operation whose parameters come in the query or in a JSON body."""
    query = [
        {"name": name, "in": "query", "schema": value, "description": value["description"]}
        for name, value in _parameters().items()
    ]
    body = {"schema": {"$ref": f"#/components/schemas/{_BODY_SCHEMA}"}}
    return {"parameters": query, "requestBody": {"content": {"application/json": body}}}


def _parameters() -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = GenerateQuery.model_json_schema()["properties"]
    for value in properties.values():
        value.pop("default", None)  # some generated clients would send it in the query and in the body
    return properties


def install(app: FastAPI, *, has_keys: bool) -> None:
    """Replace the application's document by one that client generators can read, and add the page /docs."""
    build = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        document = build()
        body = {"type": "object", "properties": _parameters(), "additionalProperties": False}
        document["components"]["schemas"] |= {"Problem": Problem.model_json_schema(), _BODY_SCHEMA: body}
        # It stands at the top level: if an operation names a key, some generators require one.
        document["security"] = [*([] if has_keys else [{}]), {"key": []}]
        for path, operation in _operations(document):
            _adapt_for_generators(path, operation)
        return document

    async def docs(_request: Request) -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json", title=app.title
        )  # relative, so that it works with any prefix

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_route("/docs", docs, include_in_schema=False)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((path, operation) for path, item in document["paths"].items() for operation in item.values())


def _adapt_for_generators(path: str, operation: dict[str, Any]) -> None:
    """Rewrite the parts of an operation that client generators misread."""
    if operation.pop("security", None) is None:
        operation["security"] = []  # needs no key; the other operations inherit the security of the document
    # Generated functions have their arguments in this order. Path parameters come first, as in the path.
    operation.get("parameters", []).sort(
        key=lambda parameter: (parameter["in"] != "path", path.find(f"{{{parameter['name']}}}"))
    )
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        if "text/event-stream" in content:  # FastAPI documents events with keywords of version 3.2
            content["text/event-stream"] = {"schema": _EVENT_SCHEMA}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional parameter without null, which a query or a header cannot express."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **kinds[0]} if len(kinds) == 1 else schema
