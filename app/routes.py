"""The HTTP endpoints, each one line of work."""

from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.download import Download
from app.errors import documented, unprocessable
from app.schemas import GenerateQuery, Health, Job, Model, Models, Whole
from app.service import Service
from app.waiting import Waiting, preferred_wait

_POLL_SECONDS = "1"

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
    "/jobs/{job_id}/images/{index}.png",
    tags=["jobs"],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)},
)
def image(job_id: str, index: Whole, service: ServiceDep) -> Response:
    """Send one image, as soon as it is there."""
    return Response(service.image(job_id, index), media_type="image/png")


@router.post("/jobs/{job_id}/cancel", tags=["jobs"], responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def cancel(job_id: str, service: ServiceDep) -> Job:
    """End a job early; it takes effect within one batch."""
    return service.cancel(job_id)


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
