"""The HTTP endpoints, each one line of work."""

from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, File, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.download import Download, is_known
from app.errors import documented, unprocessable
from app.heads import answer_heads
from app.schemas import GenerateQuery, Job, Looks, Model, Models, Style, Styles, UpTo, Wanted, Whole
from app.service import Service
from app.styles import Styles as StyleRoom
from app.waiting import Waiting, preferred_wait
from worker.contracts.jobs import Format

_POLL_SECONDS = "1"
_MOST_ECHOED = 100
_MOST_UPLOAD_BYTES = 20_000_000
_IMAGES: dict[str, Any] = {f"image/{kind}": {} for kind in ("png", "webp", "jpeg")}

_HEADERS = {
    "ETag": "Strong; send it as If-None-Match, or as If-Range with Range.",
    "Location": "Where it is.",
    "Retry-After": "Seconds after which it is worth asking again.",
    "Preference-Applied": "The wait that was granted.",
    "Content-Range": "Which bytes of how many.",
}


_OWN_HEADS = ("/jobs/{job_id}/download", "/jobs/{job_id}/events")
"""One has a body that would be made in vain, the other one that does not end before its job."""


def _described(*names: str) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


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
        raise unprocessable("repeated_parameter", f"{', '.join(repeated)[:_MOST_ECHOED]}: sent more than once")


ServiceDep = Annotated[Service, Depends(_service)]


def _waiting(request: Request) -> Waiting:
    waiting: Waiting = request.app.state.waiting
    return waiting


def _job(job_id: str, service: ServiceDep) -> Job:
    return service.job(job_id)


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


def _styles(request: Request) -> StyleRoom:
    styles: StyleRoom = request.app.state.styles
    return styles


StylesDep = Annotated[StyleRoom, Depends(_styles)]
WaitingDep = Annotated[Waiting, Depends(_waiting)]
JobDep = Annotated[Job, Depends(_job)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Any text. For 24 hours, the same request with the same key finds the same job.",
    ),
]
Prefer = Annotated[list[str], Header(description="`wait=N` lets the answer wait for up to N seconds, 60 at most.")]


def _accepted(job: Job, response: Response) -> Job:
    response.status_code = HTTPStatus.OK if job.done else HTTPStatus.ACCEPTED
    response.headers["Location"] = job.links.self_
    return job


async def _waited(waiting: Waiting, job: Job, request: Request, response: Response, prefer: list[str]) -> Job:
    seconds = preferred_wait(prefer)
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
        job = job if job.done else await waiting.until_done(job.id, seconds, request.is_disconnected)
    if not job.done:
        response.headers["Retry-After"] = _POLL_SECONDS
    return job


@router.post(
    "/generate",
    status_code=HTTPStatus.ACCEPTED,
    tags=["jobs"],
    dependencies=[Depends(_each_once)],
    responses={
        200: {
            "model": Job,
            "description": "The job has ended already.",
            "headers": _described("Location", "Preference-Applied"),
        },
        202: {"headers": _described("Location", "Retry-After", "Preference-Applied")},
        **documented(HTTPStatus.INSUFFICIENT_STORAGE),
    },
)
async def generate(
    query: Annotated[GenerateQuery, Query()],
    service: ServiceDep,
    waiting: WaitingDep,
    request: Request,
    response: Response,
    prefer: Prefer = [],  # noqa: B006
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Accept a job of n images; its Location tells the rest. With `Prefer: wait=N`, answer when it has ended."""
    job = await run_in_threadpool(service.submit, query, idempotency_key)
    job = await _waited(waiting, job, request, response, prefer)
    return _accepted(job, response)


@router.get(
    "/jobs/{job_id}",
    tags=["jobs"],
    responses={
        200: {"headers": _described("Retry-After", "Preference-Applied")},
        **documented(HTTPStatus.NOT_FOUND),
    },
)
async def job(
    found: JobDep,
    waiting: WaitingDep,
    request: Request,
    response: Response,
    prefer: Prefer = [],  # noqa: B006
) -> Job:
    """Tell how a job is doing. With `Prefer: wait=N`, answer when it has ended, or after N seconds (60 at most)."""
    return await _waited(waiting, found, request, response, prefer)


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
        200: {"content": {"application/zip": {}}, "headers": _described("ETag")},
        206: {
            "content": {"application/zip": {}},
            "description": "The range that was asked for.",
            "headers": _described("ETag", "Content-Range"),
        },
        304: {"description": "The ETag that was sent is still right."},
        **documented(
            HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        ),
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
    responses={200: {"content": _IMAGES}, **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE)},
)
def image(job_id: str, index: Whole, suffix: str, service: ServiceDep) -> Response:
    """Send one image, as soon as it is there."""
    kind, data = service.image(job_id, index, suffix)
    return Response(data, media_type=f"image/{kind}")


@router.post("/jobs/{job_id}/cancel", tags=["jobs"], responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
def cancel(job_id: str, service: ServiceDep) -> Job:
    """End a job early; it takes effect within one batch."""
    return service.cancel(job_id)


_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": Job, "description": "It has ended already.", "headers": _described("Location")},
    202: {"headers": _described("Location")},
    **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.INSUFFICIENT_STORAGE),
}


@router.post("/jobs/{job_id}/retry", status_code=HTTPStatus.ACCEPTED, tags=["jobs"], responses=_AGAIN)
def retry(job_id: str, service: ServiceDep, response: Response) -> Job:
    """Make the images of a job that failed or was cancelled, in a new job; asked for twice, it is the same one."""
    return _accepted(service.again(job_id, rebuild=False), response)


@router.post("/jobs/{job_id}/rebuild", status_code=HTTPStatus.ACCEPTED, tags=["jobs"], responses=_AGAIN)
def rebuild(job_id: str, service: ServiceDep, response: Response) -> Job:
    """Make the images of a job that have been removed, the same to the bit, in a new job; twice, it is the same one."""
    return _accepted(service.again(job_id, rebuild=True), response)


@router.get(
    "/images/{model}/{seed}/{index}.{suffix}",
    tags=["images"],
    response_class=Response,
    dependencies=[Depends(_each_once)],
    responses={
        200: {"content": _IMAGES, "headers": _described("ETag")},
        304: {"description": "The ETag that was sent is still right."},
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
)
async def address(
    wanted: Annotated[Wanted, Depends(_address)], service: ServiceDep, waiting: WaitingDep, request: Request
) -> Response:
    """Make the image of one address: the one that any job of that model, seed, class and style has at that index.

    Without a class, it is the class whose turn it is.
    """
    spec = await run_in_threadpool(service.address, wanted)
    sha256, data = await waiting.image(spec, request.is_disconnected)
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "no-cache"}
    if is_known(headers["ETag"], request):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, headers=headers, media_type=f"image/{spec.format}")


@router.post(
    "/styles",
    status_code=HTTPStatus.CREATED,
    tags=["styles"],
    max_body_size=_MOST_UPLOAD_BYTES,
    form_limits={"max_files": 1, "max_fields": 8, "max_part_size": 1024},
    responses={
        200: {"model": Style, "description": "The same picture was there already."},
        201: {"headers": _described("Location")},
        **documented(HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    },
)
async def add_style(
    file: Annotated[bytes, File(description="PNG, JPEG or WebP.")], styles: StylesDep, response: Response
) -> Style:
    """Bring a picture that images can take the style of. The same pixels are the same style, whatever the file."""
    style, is_new = await styles.add(file)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    response.headers["Location"] = style.thumbnail
    return style


@router.get("/styles", tags=["styles"])
def all_styles(styles: StylesDep) -> Styles:
    """List the styles."""
    return Styles(styles=styles.all())


@router.get(
    "/styles/{style_id}",
    tags=["styles"],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, **documented(HTTPStatus.NOT_FOUND)},
)
def thumbnail(style_id: str, styles: StylesDep) -> Response:
    """Show a style, as a small PNG."""
    return Response(styles.thumbnail(style_id), media_type="image/png")


@router.get("/models", tags=["models"])
def models(service: ServiceDep) -> Models:
    """List the models that can be asked for."""
    return Models(models=service.models())


@router.get("/models/{name}", tags=["models"], responses=documented(HTTPStatus.NOT_FOUND))
def model(name: str, service: ServiceDep) -> Model:
    """Tell about one model."""
    return service.model(name)


answer_heads(router, _OWN_HEADS)
