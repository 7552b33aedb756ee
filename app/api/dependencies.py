"""The arguments of the endpoints: services, the caller, and the job or image that a request names."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.negotiation import preferred_wait
from app.api.problems import problem_docs
from app.api.request_parameters import read_generate_query, reject_body, reject_query, reject_repeated_parameters
from app.auth.api_keys import Caller
from app.auth.quota import Quota
from app.cluster.model_catalog import ModelCatalog
from app.jobs.job_service import JobService
from app.jobs.watcher import JobWatcher
from app.schemas import GenerateQuery, ImageOptions, ImageRequest, SeedOrIndex
from app.styles.style_service import StyleService
from worker.contracts.jobs import Format, JobSpec

_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="Required if the service has keys: `Authorization: Bearer KEY`."
)


def _room(name: str) -> Callable[[Request], Awaitable[Any]]:
    """Return a dependency that finds the service of a name. It is async, so that it needs no thread."""

    async def find(request: Request) -> Any:  # noqa: ANN401
        return getattr(request.app.state, name)

    return find


async def find_caller(
    request: Request, _for_openapi: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Caller:
    """Return the caller that AuthMiddleware found."""
    caller: Caller = request.state.caller
    return caller


def router_for_callers(*reads: Literal["query", "body"]) -> APIRouter:
    """Return a router for endpoints that require a caller. It documents the errors that all of them can return.

    Its endpoints reject a query and a body, except those listed in `reads`.
    """
    query = reject_repeated_parameters if "query" in reads else reject_query
    body = [] if "body" in reads else [Depends(reject_body)]
    return APIRouter(
        dependencies=[Depends(find_caller), Depends(query), *body],
        responses=problem_docs(
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
WatcherDep = Annotated[JobWatcher, Depends(_room("watcher"))]
CallerDep = Annotated[Caller, Depends(find_caller)]


def _find_spec(job_id: str, service: ServiceDep, caller: CallerDep) -> JobSpec:
    return service.reader.find_spec(job_id, caller.owner)


def _parse_address(
    model: Annotated[str, Path(description="Name of a model from /models, or its sha256.")],
    seed: SeedOrIndex,
    index: SeedOrIndex,
    suffix: Literal["png", "webp", "jpg"],
    options: Annotated[ImageOptions, Query()],
) -> ImageRequest:
    image_format: Format = "jpeg" if suffix == "jpg" else suffix
    address = {"n": 1, "model": model, "seed": seed, "start": index, "format": image_format}
    return ImageRequest.model_validate(address | options.model_dump(by_alias=True))


def _parse_wait(
    request: Request,
    _for_openapi: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="`wait=N` delays the response until the job has ended, up to N seconds (60 at most).",
        ),
    ] = None,
) -> int:
    return preferred_wait(request.headers.getlist("Prefer"))


GenerateQueryDep = Annotated[GenerateQuery, Depends(read_generate_query)]
SpecDep = Annotated[JobSpec, Depends(_find_spec)]
WaitDep = Annotated[int, Depends(_parse_wait)]
"""Seconds that the response may wait for the end of the job. 0 means no wait."""
ImageRequestDep = Annotated[ImageRequest, Depends(_parse_address)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Any text. For 24 hours, the same request with the same key returns the same job.",
    ),
]
