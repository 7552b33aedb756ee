"""The arguments of the endpoints: services, the caller, and the job or image that a request names."""

from http import HTTPStatus
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.api.negotiation import preferred_wait
from app.api.request_parameters import read_generate_query, reject_body, reject_query, reject_repeated_parameters
from app.api.route_docs import problem_docs
from app.api.router import Router
from app.api.services import Services
from app.auth.api_keys import Caller
from app.schemas.gallery import CurateRequest, GalleryQuery, Picks, SheetQuery
from app.schemas.image_options import ImageOptions
from app.schemas.job_list_query import JobListQuery
from app.schemas.parameter_types import SeedOrIndex
from app.schemas.requests import ExtendQuery, GenerateQuery, ImageRequest
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec

T = TypeVar("T")
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="key", description="Required if the service has keys: `Authorization: Bearer KEY`."
)


async def find_services(request: Request) -> Services:
    """Return the services of the application. This is async, so that it needs no thread."""
    services: Services = request.app.state.services
    return services


async def find_caller(
    request: Request, _for_openapi: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Caller:
    """Return the caller that AuthMiddleware found."""
    # FastAPI reads the key only to document it. The middleware has checked it before the body was read.
    caller: Caller = request.state.caller
    return caller


def router_for_callers(*reads: Literal["query", "body"]) -> Router:
    """Return a router for endpoints that require a caller. It documents the errors that all of them can return.

    Its endpoints reject a query and a body, except those listed in `reads`.
    """
    query = reject_repeated_parameters if "query" in reads else reject_query
    body = [] if "body" in reads else [Depends(reject_body)]
    return Router(
        dependencies=[Depends(find_caller), Depends(query), *body],
        responses=problem_docs(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )


ServicesDep = Annotated[Services, Depends(find_services)]
CallerDep = Annotated[Caller, Depends(find_caller)]


def _find_spec(job_id: str, services: ServicesDep, caller: CallerDep) -> JobSpec:
    return services.jobs.reader.find_spec(job_id, caller.owner)


class RequestOfJob(NamedTuple, Generic[T]):
    """A job, and the other parameters of a request about it.

    One dependency returns both, so that a wrong parameter is an error before an unknown job is one.
    """

    spec: JobSpec
    parameters: T


def _find_extension(
    job_id: str, query: Annotated[ExtendQuery, Query()], services: ServicesDep, caller: CallerDep
) -> RequestOfJob[ExtendQuery]:
    return RequestOfJob(_find_spec(job_id, services, caller), query)


def _find_curation(
    job_id: str, body: CurateRequest, services: ServicesDep, caller: CallerDep
) -> RequestOfJob[CurateRequest]:
    return RequestOfJob(_find_spec(job_id, services, caller), body)


def _find_sheet(
    job_id: str, query: Annotated[SheetQuery, Query()], services: ServicesDep, caller: CallerDep
) -> RequestOfJob[SheetQuery]:
    return RequestOfJob(_find_spec(job_id, services, caller), query)


def _find_order(
    job_id: str, query: Annotated[GalleryQuery, Query()], services: ServicesDep, caller: CallerDep
) -> RequestOfJob[GalleryQuery]:
    return RequestOfJob(_find_spec(job_id, services, caller), query)


def _find_picks(job_id: str, picks: Picks, services: ServicesDep, caller: CallerDep) -> RequestOfJob[Picks]:
    return RequestOfJob(_find_spec(job_id, services, caller), picks)


async def _parse_address(
    model: Annotated[str, Path(description="Name of a model from /models, or its sha256.")],
    seed: SeedOrIndex,
    index: SeedOrIndex,
    suffix: Literal["png", "webp", "jpg"],
    options: Annotated[ImageOptions, Query()],
) -> ImageRequest:
    # This is async, so that it needs no thread.
    image_format: Format = "jpeg" if suffix == "jpg" else suffix
    address = {"n": 1, "model": model, "seed": seed, "start": index, "format": image_format}
    # Aliases, because the field `class_label` is named `class` in requests.
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
    # The parameter only documents the header, because FastAPI reads just one of several Prefer headers.
    return preferred_wait(request.headers.getlist("Prefer"))


GenerateQueryDep = Annotated[GenerateQuery, Depends(read_generate_query)]
SpecDep = Annotated[JobSpec, Depends(_find_spec)]
WaitDep = Annotated[int, Depends(_parse_wait)]
"""Seconds that the response may wait for the end of the job. 0 means no wait."""
ExtensionDep = Annotated[RequestOfJob[ExtendQuery], Depends(_find_extension)]
CurationDep = Annotated[RequestOfJob[CurateRequest], Depends(_find_curation)]
SheetDep = Annotated[RequestOfJob[SheetQuery], Depends(_find_sheet)]
OrderDep = Annotated[RequestOfJob[GalleryQuery], Depends(_find_order)]
PicksDep = Annotated[RequestOfJob[Picks], Depends(_find_picks)]
JobListQueryDep = Annotated[JobListQuery, Query()]
ImageRequestDep = Annotated[ImageRequest, Depends(_parse_address)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Any text. For 24 hours, the same request with the same key returns the same job.",
    ),
]
