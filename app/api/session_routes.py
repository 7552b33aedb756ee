"""The HTTP endpoints of a browser's session."""

from http import HTTPStatus

from fastapi import Depends, Request, Response

from app.api.dependencies import ServicesDep
from app.api.request_parameters import reject_body, reject_query
from app.api.route_docs import problem_docs
from app.api.router import Router
from app.api.session_cookie import clear_token, is_same_origin, read_token, set_token
from app.errors import ApiError
from app.schemas.page import NewSession, Session

_MAX_BODY_BYTES = 1024
_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE

router = Router(tags=["page"], dependencies=[Depends(reject_query)])


@router.get(
    "/session", operation_id="get_session", dependencies=[Depends(reject_body)], responses=problem_docs(_UNAVAILABLE)
)
async def get_session(request: Request, services: ServicesDep) -> Session:
    """Return the owner of the browser's session, and whether the service has keys."""
    sessions, token = services.sessions, read_token(request.scope)
    caller = None if sessions is None or token is None else await sessions.find(token)
    return Session(needs_key=sessions is not None, owner=None if caller is None else caller.owner)


@router.post(
    "/session",
    operation_id="start_session",
    max_body_size=_MAX_BODY_BYTES,
    responses=problem_docs(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _UNAVAILABLE,
    ),
)
async def start_session(body: NewSession, request: Request, response: Response, services: ServicesDep) -> Session:
    """Start a session of 12 hours for a key. The response sets its cookie, which pages of this service send."""
    if services.sessions is None:
        raise ApiError(HTTPStatus.NOT_FOUND, "no_keys", "this service has no keys, so it needs no session")
    _check_origin(request)
    started = await services.sessions.start(body.key)
    if started is None:
        raise ApiError(HTTPStatus.UNAUTHORIZED, "unauthorized", "this key is not known; check it, or ask for a new one")
    token, caller = started
    set_token(request, response, token)
    return Session(needs_key=True, owner=caller.owner)


@router.delete(
    "/session",
    operation_id="end_session",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    dependencies=[Depends(reject_body)],
    responses=problem_docs(HTTPStatus.FORBIDDEN, _UNAVAILABLE),
)
async def end_session(request: Request, services: ServicesDep) -> Response:
    """End the browser's session. Its cookie is invalid from then on."""
    _check_origin(request)
    token = read_token(request.scope)
    if services.sessions is not None and token is not None:
        await services.sessions.end(token)
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    clear_token(request, response)
    return response


def _check_origin(request: Request) -> None:
    """Reject a page of another site, which could otherwise sign its visitors in or out."""
    if "Origin" in request.headers and not is_same_origin(request.headers):
        raise ApiError(HTTPStatus.FORBIDDEN, "cross_site", "only the page of this service can start or end a session")
