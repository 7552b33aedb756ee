"""Reads the parameters of requests, and rejects all parameters that an endpoint would ignore."""

import json
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.errors import ApiError, unprocessable
from app.schemas import GenerateQuery

MAX_BODY_BYTES = 1 << 16
"""Largest body of POST /generate in bytes."""
_MAX_QUOTED_CHARACTERS = 100
_MAX_EMPTY_BYTES = 16
_EMPTY_BODIES = (b"", b"{}", b"null")
"""Bodies without content that many clients send with every POST."""
_HINT = (
    "send parameters in the query (/generate?n=500&seed=1), "
    'or as a JSON object ({"n": 500, "seed": 1}) with Content-Type: application/json'
)


async def reject_repeated_parameters(request: Request) -> None:
    """Reject a query parameter or an Idempotency-Key that is sent more than once."""
    _reject_repeated(name for name, _ in request.query_params.multi_items())
    if len(request.headers.getlist("Idempotency-Key")) > 1:
        raise unprocessable("repeated_parameter", "Idempotency-Key: sent more than once")


async def reject_query(request: Request) -> None:
    """Reject all query parameters."""
    if request.query_params:
        names = ", ".join(request.query_params)[:_MAX_QUOTED_CHARACTERS]
        raise unprocessable("invalid_request", f"{names}: no such parameter; {request.url.path} takes none")


async def reject_body(request: Request) -> None:
    """Reject a body, unless it is empty or an empty JSON value."""
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > _MAX_EMPTY_BYTES:  # it is not empty: do not read the rest, which may be large
            break
    if received.strip() not in _EMPTY_BODIES:
        raise unprocessable("unexpected_body", f"{request.method} {request.url.path} takes no body; send none")


async def read_generate_query(request: Request) -> GenerateQuery:
    """Read the parameters of /generate. Each one comes from the query or from a JSON body."""
    query, body = dict(request.query_params), await _json_object(request)
    repeated = sorted(query.keys() & body.keys())
    if repeated:
        detail = f"{', '.join(repeated)[:_MAX_QUOTED_CHARACTERS]}: sent in the query and in the body; send it once"
        raise unprocessable("repeated_parameter", detail)
    try:
        return GenerateQuery.model_validate(query | body, context={"json": body.keys()})
    except ValidationError as error:
        faults = [{**fault, "loc": ("parameters", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from error


async def _json_object(request: Request) -> dict[str, Any]:
    content = await request.body()
    if not content.strip():
        return {}
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        detail = f"Content-Type: must be application/json, got {media_type[:_MAX_QUOTED_CHARACTERS] or 'none'}; {_HINT}"
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    try:
        parsed = json.loads(content.decode(), object_pairs_hook=_build_object, parse_constant=_reject_constant)
        json.dumps(parsed, ensure_ascii=False).encode()  # raises UnicodeEncodeError for a lone surrogate
    except (ValueError, RecursionError) as error:
        raise unprocessable(
            "invalid_json", f"the body is not valid JSON ({str(error)[:_MAX_QUOTED_CHARACTERS]}); {_HINT}"
        ) from error
    if not isinstance(parsed, dict):
        raise unprocessable("invalid_json", f"the body must be a JSON object; {_HINT}")
    return parsed


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    "".join(name for name, _ in pairs).encode()  # rejects lone surrogates, because error messages quote the names
    _reject_repeated(name for name, _ in pairs)
    return dict(pairs)


def _reject_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _reject_repeated(names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise unprocessable(
            "repeated_parameter", f"{', '.join(repeated)[:_MAX_QUOTED_CHARACTERS]}: sent more than once"
        )
