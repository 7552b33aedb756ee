"""Lists the jobs of an owner, a page at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

from app.jobs.job_reader import JobReader
from app.schemas.job_list_query import JobListQuery
from app.schemas.responses import Job, JobPage
from worker.contracts.store.job_list import ListedJob
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

MAX_READ_JOBS = 500
"""Largest number of jobs that one request reads. A page ends there, even if few jobs match its filters."""
_MAX_CONCURRENT_READS = 8


class JobListing:
    """Reads the lists of jobs. A page costs one listing of names, and one or two reads of each of its jobs."""

    def __init__(self, store: Store, reader: JobReader) -> None:
        self._store = store
        self._reader = reader
        self._reading = ThreadPoolExecutor(_MAX_CONCURRENT_READS, "list")  # a read of a bucket takes 10 ms

    def page(self, owner: str, query: JobListQuery) -> JobPage:
        """Return the jobs of an owner after a cursor that match the filters, the newest first."""
        entries = list(islice(self._store.jobs.list.after(owner, query.name, query.after), MAX_READ_JOBS + 1))
        jobs, seen = list[Job](), 0
        for job in self._read(entries[:MAX_READ_JOBS], owner, query):
            seen += 1
            jobs += [] if job is None else [job]
            if len(jobs) == query.limit:
                break
        return JobPage(jobs=jobs, next=entries[seen - 1].cursor if seen < len(entries) else None)

    def _read(self, entries: list[ListedJob], owner: str, query: JobListQuery) -> Iterator[Job | None]:
        """Yield the jobs of the entries in order; None for one that does not match. Reads a few at a time."""
        step = max(query.limit, _MAX_CONCURRENT_READS)
        for start in range(0, len(entries), step):
            yield from self._reading.map(lambda entry: self._find(entry, owner, query), entries[start : start + step])

    def _find(self, entry: ListedJob, owner: str, query: JobListQuery) -> Job | None:
        """Read a job. None if it does not match, is damaged, or was never accepted."""
        with suppress(DamagedError):
            spec = self._store.jobs.spec(entry.id)
            if spec is None or spec.owner != owner or query.model not in (None, spec.model.name, spec.model.sha256):
                return None
            job = self._reader.get_listed_job(spec)
            return job if query.state in (None, job.state) else None
        return None
