"""The HTTP endpoints, each one line of work."""

from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.download import Download, listed_etags
from app.errors import documented, unprocessable
from app.schemas import GenerateQuery, Health, Job, Model, Models, Whole
from app.service import Service
from app.waiting import Waiting, preferred_wait
from worker.contracts.jobs import SUFFIXES

_POLL_SECONDS = "1"
_FOR_EVER = "public, max-age=31536000, immutable"
_IMAGES: dict[str, Any] = {f"image/{kind}": {} for kind in ("png", "webp", "jpeg")}

router = APIRouter(
    responses=documented(
        HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE
    )
)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _each_once(request: Request) -> None:
    counts = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [name for name, count in counts.items() if count > 1]
    if repeated:
        raise unprocessable("repeated_parameter", f"{', '.join(repeated)}: sent more than once")


ServiceDep = Annotated[Service, Depends(_service)]


def _waiting(request: Request) -> Waiting:
    waiting: Waiting = request.app.state.waiting
    return waiting


def _job(job_id: str, service: ServiceDep) -> Job:
    return service.job(job_id)


def _address(
    model: str,
    seed: Whole,
    index: Whole,
    suffix: str,
    class_label: Annotated[str | None, Query(alias="class", description="The image's class; else its turn's.")] = None,
) -> GenerateQuery:
    kinds = {SUFFIXES[kind]: kind for kind in SUFFIXES if kind != "npz"}
    if suffix not in kinds:
        raise unprocessable("unknown_format", f"an image ends in {', '.join(kinds)}, not in {suffix!r}")
    try:
        return GenerateQuery(n=1, model=model, seed=seed, start=index, format=kinds[suffix], **{"class": class_label})
    except ValidationError as error:
        names = {"start": "index"}
        faults = [f"{names.get(str(f['loc'][0]), f['loc'][0])}: {f['msg']}, got {f['input']}" for f in error.errors()]
        raise unprocessable("invalid_request", "; ".join(faults)) from error


WaitingDep = Annotated[Waiting, Depends(_waiting)]
JobDep = Annotated[Job, Depends(_job)]
Prefer = Annotated[str | None, Header(description="`wait=N` lets the answer wait for up to N seconds.")]


async def _waited(waiting: Waiting, job: Job, response: Response, prefer: str | None) -> Job:
    seconds = preferred_wait(prefer)
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
        job = job if job.done else await waiting.until_done(job.id, seconds)
    if not job.done:
        response.headers["Retry-After"] = _POLL_SECONDS
    return job


@router.post(
    "/generate",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    dependencies=[Depends(_each_once)],
    responses={200: {"model": Job, "description": "The job has ended already."}},
)
async def generate(
    query: Annotated[GenerateQuery, Query()],
    service: ServiceDep,
    waiting: WaitingDep,
    response: Response,
    prefer: Prefer = None,
) -> Job:
    """Accept a job of n images; its Location tells the rest. With `Prefer: wait=N`, answer when it has ended."""
    job = await run_in_threadpool(service.submit, query)
    job = await _waited(waiting, job, response, prefer)
    response.status_code = HTTPStatus.OK if job.done else HTTPStatus.ACCEPTED
    response.headers["Location"] = job.links.self_
    return job


@router.get("/jobs/{job_id}", tags=["jobs"], responses=documented(HTTPStatus.NOT_FOUND))
async def job(found: JobDep, waiting: WaitingDep, response: Response, prefer: Prefer = None) -> Job:
    """Tell how a job is doing. With `Prefer: wait=N`, answer when it has ended, or after N seconds (60 at most)."""
    return await _waited(waiting, found, response, prefer)


@router.get(
    "/jobs/{job_id}/events",
    tags=["jobs"],
    response_class=EventSourceResponse,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def events(found: JobDep, waiting: WaitingDep) -> AsyncIterator[ServerSentEvent]:
    """Tell whenever a job gets on, as server-sent events named `progress`, the last one `end`."""
    async for news in waiting.news(found.id):
        data = news.model_dump(mode="json", by_alias=True)
        yield ServerSentEvent(data=data, event="end" if news.done else "progress")


@router.head("/jobs/{job_id}/download", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/download",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {}}},
        206: {"content": {"application/zip": {}}, "description": "The range that was asked for."},
        304: {"description": "The ETag that was sent is still right."},
        416: {"description": "No such range."},
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
)
async def download(job_id: str, service: ServiceDep, request: Request) -> Response:
    """Send a job's dataset as a ZIP that `datasets.load_dataset("imagefolder")` reads.

    It can be asked for at once: while the job runs, the archive grows as its images are rendered. Of a finished one,
    any range can be had.
    """
    spec, found, plan = await run_in_threadpool(service.archive, job_id)
    sent = Download(request.app.state.artifacts, request.app.state.bell, spec, found)
    return sent.growing(request) if plan is None else sent.whole(plan, request)


@router.get(
    "/jobs/{job_id}/images/{index}.{suffix}",
    tags=["jobs"],
    response_class=Response,
    responses={200: {"content": _IMAGES}, **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)},
)
def image(job_id: str, index: Whole, suffix: str, service: ServiceDep) -> Response:
    """Send one image, as soon as it is there."""
    kind, data = service.image(job_id, index, suffix)
    return Response(data, media_type=f"image/{kind}")


@router.post("/jobs/{job_id}/cancel", tags=["jobs"], responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def cancel(job_id: str, service: ServiceDep) -> Job:
    """End a job early; it takes effect within one batch."""
    return service.cancel(job_id)


@router.get(
    "/images/{model}/{seed}/{index}.{suffix}",
    tags=["images"],
    response_class=Response,
    dependencies=[Depends(_each_once)],
    responses={200: {"content": _IMAGES}, 304: {}, **documented(HTTPStatus.NOT_FOUND)},
)
async def address(
    place: Annotated[GenerateQuery, Depends(_address)], service: ServiceDep, waiting: WaitingDep, request: Request
) -> Response:
    """Make the image of one address: the one that any job of that model, seed and class has at that index.

    `model` is a name or, for ever, a sha256.
    """
    spec = await run_in_threadpool(service.address, place)
    sha256, data = await waiting.image(spec)
    is_for_ever = place.model == spec.model.sha256
    headers = {"ETag": f'"{sha256}"', "Cache-Control": _FOR_EVER if is_for_ever else "no-cache"}
    if headers["ETag"] in listed_etags(request.headers.get("If-None-Match")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, headers=headers, media_type=f"image/{spec.format}")


@router.get("/models", tags=["models"])
def models(service: ServiceDep) -> Models:
    """List the models that can be asked for."""
    return Models(models=service.models())


@router.get("/models/{name}", tags=["models"], responses=documented(HTTPStatus.NOT_FOUND))
def model(name: str, service: ServiceDep) -> Model:
    """Tell about one model."""
    return service.model(name)


@router.get("/healthz", tags=["health"])
def healthz() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/readyz", tags=["health"])
def readyz(service: ServiceDep) -> Health:
    """Say that a job that came now would be rendered."""
    service.check_ready()
    return Health()
