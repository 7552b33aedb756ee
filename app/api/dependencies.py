"""What the endpoints are given: the rooms of the service, who asks, and what the address of a request names."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.negotiation import preferred_wait
from app.api.problems import documented
from app.api.request_parameters import asked, each_once, no_body, no_query
from app.auth.api_keys import Caller
from app.auth.quota import Quota
from app.cluster.model_catalog import ModelCatalog
from app.jobs.job_service import JobService
from app.jobs.watcher import JobWatcher
from app.schemas import GenerateQuery, Looks, UpTo, Wanted
from app.styles.style_service import StyleService
from worker.contracts.jobs import Format, JobSpec

_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="Needed where the service has keys: `Authorization: Bearer KEY`."
)


def _room(name: str) -> Callable[[Request], Awaitable[Any]]:
    """Make what finds a room of the service, where `create_app` put it; it waits for nothing, and needs no thread."""

    async def find(request: Request) -> Any:  # noqa: ANN401
        return getattr(request.app.state, name)

    return find


async def caller_of(
    request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Caller:
    """Tell who asks, as the gate has found out."""
    caller: Caller = request.state.caller
    return caller


def router_for_callers(*reads: Literal["query", "body"]) -> APIRouter:
    """Make a router whose endpoints know who asks, and document how any of them may refuse.

    They refuse a query and a body unless they read it.
    """
    query = each_once if "query" in reads else no_query
    body = [] if "body" in reads else [Depends(no_body)]
    return APIRouter(
        dependencies=[Depends(caller_of), Depends(query), *body],
        responses=documented(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )


ModelsDep = Annotated[ModelCatalog, Depends(_room("models"))]
ServiceDep = Annotated[JobService, Depends(_room("service"))]
QuotaDep = Annotated[Quota, Depends(_room("quota"))]
StylesDep = Annotated[StyleService, Depends(_room("styles"))]
WaitingDep = Annotated[JobWatcher, Depends(_room("waiting"))]
CallerDep = Annotated[Caller, Depends(caller_of)]


def _spec(job_id: str, service: ServiceDep, caller: CallerDep) -> JobSpec:
    return service.reader.find_spec(job_id, caller.owner)


def _address(
    model: Annotated[str, Path(description="A name from /models, or a model's sha256.")],
    seed: UpTo,
    index: UpTo,
    suffix: Literal["png", "webp", "jpg"],
    looks: Annotated[Looks, Query()],
) -> Wanted:
    kind: Format = "jpeg" if suffix == "jpg" else suffix
    place = {"n": 1, "model": model, "seed": seed, "start": index, "format": kind}
    return Wanted.model_validate(place | looks.model_dump(by_alias=True))


def _wait(
    request: Request,
    _documented: Annotated[
        str | None,
        Header(alias="Prefer", description="`wait=N` lets the answer wait for up to N seconds, 60 at most."),
    ] = None,
) -> int:
    return preferred_wait(request.headers.getlist("Prefer"))


AskedDep = Annotated[GenerateQuery, Depends(asked)]
SpecDep = Annotated[JobSpec, Depends(_spec)]
WaitDep = Annotated[int, Depends(_wait)]
"""Seconds that the answer should wait, 0 if it should not."""
WantedDep = Annotated[Wanted, Depends(_address)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Any text. For 24 hours, the same request with the same key finds the same job.",
    ),
]
