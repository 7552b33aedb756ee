"""The HTTP endpoints, each one line of work."""

from collections import Counter
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.errors import documented, unprocessable
from app.schemas import GenerateQuery, Health, Job, Model, Models, Whole
from app.service import Service

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


@router.post("/generate", status_code=HTTPStatus.ACCEPTED, tags=["jobs"], dependencies=[Depends(_each_once)])
def generate(query: Annotated[GenerateQuery, Query()], service: ServiceDep, response: Response) -> Job:
    """Accept a job of n images; its Location tells the rest."""
    job = service.submit(query)
    response.headers.update({"Location": job.links.self_, "Retry-After": _POLL_SECONDS})
    return job


@router.get("/jobs/{job_id}", tags=["jobs"], responses=documented(HTTPStatus.NOT_FOUND))
def job(job_id: str, service: ServiceDep, response: Response) -> Job:
    """Tell how a job is doing."""
    found = service.job(job_id)
    if not found.done:
        response.headers["Retry-After"] = _POLL_SECONDS
    return found


@router.head("/jobs/{job_id}/download", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/download",
    tags=["jobs"],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}}, **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)},
)
def download(job_id: str, service: ServiceDep, request: Request) -> Response:
    """Send a finished job's dataset as a ZIP that `datasets.load_dataset("imagefolder")` reads once unpacked."""
    found, plan = service.archive(job_id)
    headers = {
        "Content-Length": str(plan.size),
        "Content-Disposition": f'attachment; filename="{found.model}-seed{found.seed}-n{found.n}.zip"',
        "ETag": f'"{found.id}"',
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type="application/zip")
    return StreamingResponse(service.stream(plan), headers=headers, media_type="application/zip")


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
