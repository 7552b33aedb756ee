"""Computes and remembers the checksums of finished archives."""

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
        self._limiter = CapacityLimiter(1)
        """One thread reads an archive at a time. Requests that wait for it hold no threads."""

    async def sha256(self, spec: JobSpec, plan: ArchivePlan) -> str:
        """Return the SHA-256 of an archive in hexadecimal digits. The first call reads the whole archive.

        Raises DamagedError if a part of the archive is missing or too short, and StoreError.
        """
        found = await to_thread.run_sync(self._find, spec, plan)
        if found is None:
            found = await to_thread.run_sync(self._find_or_compute, spec, plan, limiter=self._limiter)
        return found

    def _find(self, spec: JobSpec, plan: ArchivePlan) -> str | None:
        found = self._archives.digest(spec.id)
        return found.sha256 if found is not None and found.size == plan.size else None

    def _find_or_compute(self, spec: JobSpec, plan: ArchivePlan) -> str:
        return self._find(spec, plan) or self._archives.compute_digest(spec.id, plan).sha256
