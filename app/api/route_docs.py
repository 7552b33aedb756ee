"""Documentation of routes in the OpenAPI document: errors, headers, bytes, and the parameters of /generate."""

from http import HTTPStatus
from typing import Any

from app.schemas.requests import GenerateQuery

GENERATE_SCHEMA = "GenerateRequest"
"""Name of the schema of a JSON body of /generate."""

_HEADERS = {
    "ETag": "Strong validator. Send it as If-None-Match, or as If-Range with Range.",
    "Location": "URL of the job or of the style's thumbnail.",
    "Content-Location": "URL of the same archive, which supports range requests once it is finished.",
    "Retry-After": "Seconds to wait before the next request.",
    "Preference-Applied": "The wait that the server granted.",
    "Repr-Digest": "SHA-256 of the whole archive (RFC 9530), as soon as it is computed after the end of the job.",
    "Content-Range": "The range of this response, and the size of the archive.",
    "RateLimit-Policy": "Limits of waiting images and open jobs, if this key has any.",
    "RateLimit": "The remaining part of these limits.",
}


def problem_docs(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of an endpoint's error responses."""
    # {"model": Problem} would name the media type application/json, so the reference is written out.
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status): {"description": status.phrase, "content": content} for status in statuses}


def header_docs(*names: str) -> dict[str, Any]:
    """Return the documentation of some headers of a response."""
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def binary_content(*media_types: str) -> dict[str, Any]:
    """Document a response of bytes. Some client generators only know the general type, which comes last."""
    kinds = (*media_types, "application/octet-stream")
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


def query_or_body_docs() -> dict[str, Any]:
    """Document an operation whose parameters come in the query or in a JSON body."""
    query = [
        {"name": name, "in": "query", "schema": value, "description": value["description"]}
        for name, value in generate_parameters().items()
    ]
    body = {"schema": {"$ref": f"#/components/schemas/{GENERATE_SCHEMA}"}}
    return {"parameters": query, "requestBody": {"content": {"application/json": body}}}


def generate_parameters() -> dict[str, dict[str, Any]]:
    """Return the schemas of the parameters of /generate by name."""
    properties: dict[str, dict[str, Any]] = GenerateQuery.model_json_schema()["properties"]
    for value in properties.values():
        value.pop("default", None)  # some generated clients would send it in the query and in the body
    return properties
