"""The parts of a response that several endpoints of jobs share."""

from http import HTTPStatus

from fastapi import Request, Response

from app.jobs.watcher import JobWatcher
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec

_POLL_SECONDS = "1"


def set_accepted(job: Job, response: Response) -> Job:
    """Set the status and the Location of a response with a job that the request created or found."""
    response.status_code = HTTPStatus.OK if job.done else HTTPStatus.ACCEPTED
    response.headers["Location"] = job.links.self_
    return job


async def wait_until_done(
    watcher: JobWatcher, spec: JobSpec, job: Job, request: Request, response: Response, seconds: int
) -> Job:
    """Return the job when it has ended, or after some seconds. Sets headers for a client that waits or polls."""
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
        job = job if job.done else await watcher.wait_until_done(spec, seconds, request.is_disconnected)
    if not job.done:
        response.headers["Retry-After"] = _POLL_SECONDS
    return job
