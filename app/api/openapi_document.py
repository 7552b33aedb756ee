"""The OpenAPI document, in version 3.1, which validators and client generators can read."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from app.api.route_docs import GENERATE_SCHEMA, generate_parameters
from app.schemas.around_request import AROUND_BODY_SCHEMA
from app.schemas.between_request import BETWEEN_BODY_SCHEMA
from app.schemas.class_request import CLASSES_BODY_SCHEMA
from app.schemas.responses import Problem

_EVENT_SCHEMA = {"description": "Events named `progress` and `end`. The data of each is the job, as JSON."}


class DocumentedApp(FastAPI):
    """A FastAPI application whose document client generators can read.

    The document requires a key if the service has keys.
    """

    def __init__(self, *, has_keys: bool, **options: Any) -> None:  # noqa: ANN401
        super().__init__(docs_url=None, **options)
        self._has_keys = has_keys
        self._document: dict[str, Any] | None = None

    def openapi(self) -> dict[str, Any]:
        """Return the document. It is built once, when all routes have been added."""
        if self._document is None:
            self._document = _adapted(super().openapi(), has_keys=self._has_keys)
        return self._document


def _adapted(document: dict[str, Any], *, has_keys: bool) -> dict[str, Any]:
    """Complete the document, and rewrite the parts that client generators misread."""
    own = {"classes": CLASSES_BODY_SCHEMA, "around": AROUND_BODY_SCHEMA, "between": BETWEEN_BODY_SCHEMA}
    properties = generate_parameters() | own
    body = {"type": "object", "properties": properties, "additionalProperties": False}
    document["components"]["schemas"] |= {"Problem": Problem.model_json_schema(), GENERATE_SCHEMA: body}
    # It stands at the top level: if an operation names a key, some generators require one.
    document["security"] = [*([] if has_keys else [{}]), {"key": []}]
    for path, operation in _operations(document):
        _adapt_operation(path, operation)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((path, operation) for path, item in document["paths"].items() for operation in item.values())


def _adapt_operation(path: str, operation: dict[str, Any]) -> None:
    """Rewrite the parts of an operation that client generators misread."""
    if operation.pop("security", None) is None:
        operation["security"] = []  # needs no key; the other operations inherit the security of the document
    # Generated functions have their arguments in this order. Path parameters come first, as in the path.
    operation.get("parameters", []).sort(
        key=lambda parameter: (parameter["in"] != "path", path.find(f"{{{parameter['name']}}}"))
    )
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
        parameter["schema"].pop("default", None)  # some generated clients would always send it
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        if "text/event-stream" in content:  # FastAPI documents events with keywords of version 3.2
            content["text/event-stream"] = {"schema": _EVENT_SCHEMA}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional parameter without null, which a query or a header cannot express."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **kinds[0]} if len(kinds) == 1 else schema
