"""The HTTP endpoints of training runs. They read the folder of runs, and write nothing."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import FileResponse

from app.api.dependencies import ServicesDep, router_for_callers
from app.api.route_docs import binary_content, problem_docs
from app.schemas.runs import LogQuery, Run, RunList, RunLog

_NOT_FOUND = problem_docs(HTTPStatus.NOT_FOUND)
_LARGEST = 999_999_999

Number = Annotated[int, Path(ge=0, le=_LARGEST, description="Number of a run from /runs.")]

router = router_for_callers()
log_router = router_for_callers("query")


@router.get("/runs", operation_id="list_runs", tags=["runs"])
def list_runs(services: ServicesDep) -> RunList:
    """List the training runs of the folder IMAGEMILL_RUNS, the newest first."""
    return services.runs.list_runs()


@router.get("/runs/{number}", operation_id="get_run", tags=["runs"], responses=_NOT_FOUND)
def get_run(number: Number, services: ServicesDep) -> Run:
    """Return a training run."""
    return services.runs.find(number)


@log_router.get("/runs/{number}/log", operation_id="get_run_log", tags=["runs"], responses=_NOT_FOUND)
def get_run_log(number: Number, query: Annotated[LogQuery, Query()], services: ServicesDep) -> RunLog:
    """Return the epochs of a run. To follow a run, send `next` of one response as `after` of the next request."""
    return services.runs.log(number, query.after)


@router.get(
    "/runs/{number}/samples/{images_seen}.png",
    operation_id="get_run_samples",
    tags=["runs"],
    response_class=FileResponse,
    responses={200: {"content": binary_content("image/png")}, **_NOT_FOUND},
)
def get_run_samples(
    number: Number,
    images_seen: Annotated[int, Path(ge=0, le=_LARGEST, description="An entry of `samples` of the run.")],
    services: ServicesDep,
) -> FileResponse:
    """Return the contact sheet that a run has drawn after so many images."""
    path = services.runs.sample_file(number, images_seen)
    return FileResponse(path, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
