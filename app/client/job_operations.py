"""Operations on jobs that exist: read, list, cancel and repeat them."""

from collections.abc import Iterable
from urllib.parse import quote

from app.client.options import State, given
from app.client.parsing import parse_job, parse_job_page
from app.client.responses import Job
from app.client.service_operations import ServiceOperations
from app.client.steps import Emit, Flow, Items, Request


class JobOperations(ServiceOperations):
    """Operations on jobs of one server, as generators of steps."""

    def job(self, job_id: str) -> Flow[Job]:
        """Return the current state of a job."""
        return self._job(Request("GET", _path_of(job_id)))

    def jobs(self, *, state: State | None = None, model: str | None = None, name: str | None = None) -> Items[Job]:
        """Yield your jobs, the newest first. The arguments choose jobs of one state, model or name.

        Where a job selects images, `tried`, `yield_` and `next_start` are None here; `job` reads them.
        """
        parameters, after = {"state": state, "model": model, "name": name}, None
        while True:
            request = Request("GET", "/jobs", given({**parameters, "after": after}))
            page = parse_job_page((yield from self._retries.send(request)), self._address)
            for job in page.jobs:
                yield Emit(job)
            if page.next is None:
                return
            after = page.next

    def cancel(self, job: Job | str) -> Flow[Job]:
        """Cancel a job, and return it."""
        return self._job(Request("POST", f"{_path_of(job)}/cancel"))

    def delete(self, job: Job | str) -> Flow[Job]:
        """Remove the images of a job now, and return the job. A job that runs is cancelled. `rebuild` still works."""
        return self._job(Request("DELETE", _path_of(job)))

    def retry(self, job: Job | str) -> Flow[Job]:
        """Repeat a job that failed or was cancelled, and return the new job."""
        return self._job(Request("POST", f"{_path_of(job)}/retry"))

    def rebuild(self, job: Job | str) -> Flow[Job]:
        """Make the expired images of a job again, bit for bit, and return the new job."""
        return self._job(Request("POST", f"{_path_of(job)}/rebuild"))

    def extend(self, job: Job | str, n: int) -> Flow[Job]:
        """Add n images to the dataset of a succeeded job, and return the new job, whose archive holds all images."""
        return self._job(Request("POST", f"{_path_of(job)}/extend", {"n": n}))

    def curate(self, job: Job | str, exclude: Iterable[int]) -> Flow[Job]:
        """Throw images out of the dataset of a succeeded job, and return the new job.

        `exclude` has the indices of the images. The next images of their classes take their places.
        """
        body = {"exclude": sorted(set(exclude))}
        return self._job(Request("POST", f"{_path_of(job)}/curate", json=body))

    def _job(self, request: Request) -> Flow[Job]:
        return parse_job((yield from self._retries.send(request)), self._address)


def _path_of(job: Job | str) -> str:
    return f"/jobs/{quote(job if isinstance(job, str) else job.id, safe='')}"
