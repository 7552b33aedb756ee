"""Computes and remembers the checksums of finished archives."""

import hashlib
from threading import Lock

from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchiveDigest, ArchivePlan
from worker.contracts.store.store import Store


class ArchiveDigests:
    """Returns the SHA-256 of archives. It is computed once for each job, and stored beside the archive."""

    def __init__(self, store: Store) -> None:
        self._archives = store.archives
        self._lock = Lock()
        """One thread reads an archive at a time, so that simultaneous requests do not read it twice."""

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
            return self.find(spec, plan) or self._compute(spec, plan)

    def _compute(self, spec: JobSpec, plan: ArchivePlan) -> str:
        computed = hashlib.sha256()
        for chunk in self._archives.read_parts(plan.parts):
            computed.update(chunk)
        digest = ArchiveDigest(size=plan.size, sha256=computed.hexdigest())
        self._archives.save_digest(spec.id, digest)
        return digest.sha256
