"""Computes and remembers the checksums of finished archives."""

from threading import Lock

from anyio import CapacityLimiter, to_thread

from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchivePlan
from worker.contracts.store.store import Store


class ArchiveDigests:
    """Returns the SHA-256 of archives. It is computed once for each job, and stored beside the archive.

    The worker that has finished a job computes it. This class computes those that are missing.
    """

    def __init__(self, store: Store) -> None:
        self._archives = store.archives
        self._lock = Lock()
        """One thread reads an archive at a time, so that simultaneous requests do not read it twice."""
        self._limiter = CapacityLimiter(1)
        """Requests that wait for a checksum hold no threads."""

    def find(self, spec: JobSpec, plan: ArchivePlan) -> str | None:
        """Return the SHA-256 of an archive in hexadecimal digits; None if it was not computed yet."""
        found = self._archives.digest(spec.id)
        return found.sha256 if found is not None and found.size == plan.size else None

    def sha256(self, spec: JobSpec, plan: ArchivePlan) -> str:
        """Return the SHA-256 of an archive in hexadecimal digits. The first call reads the whole archive.

        Raises DamagedError if a part of the archive is missing or too short, and StoreError.
        """
        found = self.find(spec, plan)
        if found is not None:
            return found
        with self._lock:
            return self.find(spec, plan) or self._archives.compute_digest(spec.id, plan).sha256

    async def wait_for_sha256(self, spec: JobSpec, plan: ArchivePlan) -> str:
        """Return the SHA-256 of an archive, like `sha256`, without blocking."""
        found = await to_thread.run_sync(self.find, spec, plan)
        if found is None:
            found = await to_thread.run_sync(self.sha256, spec, plan, limiter=self._limiter)
        return found
