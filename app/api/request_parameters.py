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

MOST_BODY_BYTES = 1 << 16
"""Largest body of POST /generate in bytes."""
_MOST_ECHOED = 100
_MOST_EMPTY_BYTES = 16
_EMPTY = (b"", b"{}", b"null")
"""Bodies without content that many clients send with every POST."""
_HINT = (
    "send parameters in the query (/generate?n=500&seed=1), "
    'or as a JSON object ({"n": 500, "seed": 1}) with Content-Type: application/json'
)


async def each_once(request: Request) -> None:
    """Reject a query parameter or an Idempotency-Key that is sent more than once."""
    _check_once(name for name, _ in request.query_params.multi_items())
    if len(request.headers.getlist("Idempotency-Key")) > 1:
        raise unprocessable("repeated_parameter", "Idempotency-Key: sent more than once")


async def no_query(request: Request) -> None:
    """Reject all query parameters."""
    if request.query_params:
        names = ", ".join(request.query_params)[:_MOST_ECHOED]
        raise unprocessable("invalid_request", f"{names}: no such parameter; {request.url.path} takes none")


async def no_body(request: Request) -> None:
    """Reject a body, unless it is empty or an empty JSON value."""
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > _MOST_EMPTY_BYTES:  # it is not empty: do not read the rest, which may be large
            break
    if sent.strip() not in _EMPTY:
        raise unprocessable("unexpected_body", f"{request.method} {request.url.path} takes no body; send none")


async def asked(request: Request) -> GenerateQuery:
    """Read the parameters of /generate. Each one comes from the query or from a JSON body."""
    query, body = dict(request.query_params), await _json_object(request)
    repeated = sorted(query.keys() & body.keys())
    if repeated:
        detail = f"{', '.join(repeated)[:_MOST_ECHOED]}: sent in the query and in the body; send it once"
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
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        detail = f"a body of the type {kind[:_MOST_ECHOED] or 'that no Content-Type tells'} is not read; {_HINT}"
        raise ApiError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    try:
        found = json.loads(content.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
        json.dumps(found, ensure_ascii=False).encode()  # raises UnicodeEncodeError for a lone surrogate
    except (ValueError, RecursionError) as error:
        raise unprocessable("invalid_json", f"the body is not JSON ({str(error)[:_MOST_ECHOED]}); {_HINT}") from error
    if not isinstance(found, dict):
        raise unprocessable("invalid_json", f"the body must be a JSON object; {_HINT}")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    "".join(name for name, _ in pairs).encode()  # rejects lone surrogates, because error messages quote the names
    _check_once(name for name, _ in pairs)
    return dict(pairs)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _check_once(names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise unprocessable("repeated_parameter", f"{', '.join(repeated)[:_MOST_ECHOED]}: sent more than once")
