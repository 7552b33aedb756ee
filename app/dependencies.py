"""What the endpoints are given: the rooms of the service, who asks, and what the address of a request names."""

from collections import Counter
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import documented, unprocessable
from app.keys import Caller
from app.models import Models
from app.quota import Quota
from app.schemas import Looks, UpTo, Wanted
from app.service import Service
from app.styles import Styles
from app.waiting import Waiting
from worker.contracts.jobs import Format, JobSpec

_MOST_ECHOED = 100
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


def router_for_callers() -> APIRouter:
    """Make a router whose endpoints know who asks, and document how any of them may refuse."""
    return APIRouter(
        dependencies=[Depends(caller_of)],
        responses=documented(
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )


ModelsDep = Annotated[Models, Depends(_room("models"))]
ServiceDep = Annotated[Service, Depends(_room("service"))]
QuotaDep = Annotated[Quota, Depends(_room("quota"))]
StylesDep = Annotated[Styles, Depends(_room("styles"))]
WaitingDep = Annotated[Waiting, Depends(_room("waiting"))]
CallerDep = Annotated[Caller, Depends(caller_of)]


def _spec(job_id: str, service: ServiceDep, caller: CallerDep) -> JobSpec:
    return service.spec(job_id, caller.owner)


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


SpecDep = Annotated[JobSpec, Depends(_spec)]
WantedDep = Annotated[Wanted, Depends(_address)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Any text. For 24 hours, the same request with the same key finds the same job.",
    ),
]
Prefer = Annotated[list[str], Header(description="`wait=N` lets the answer wait for up to N seconds, 60 at most.")]


def each_once(request: Request) -> None:
    """Refuse a parameter that was sent more than once."""
    counts = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise unprocessable("repeated_parameter", f"{', '.join(repeated)[:_MOST_ECHOED]}: sent more than once")
