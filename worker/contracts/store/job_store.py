"""Jobs in the store: their requests, their ends, and the notes about both."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from worker.contracts.jobs import JobSpec, JobState
from worker.contracts.store import paths
from worker.contracts.store.archive_store import ArchiveStore
from worker.contracts.store.object_store import Objects
from worker.contracts.store.shard_store import ShardStore
from worker.contracts.store.store_errors import DamagedError, StoreError

_DISCARDED = timedelta(minutes=10)
"""After this time, no worker still works at a job that was discarded or cancelled."""


class JobStore:
    """Writes and reads jobs.

    A missing object is None here; one that cannot be parsed raises DamagedError.

    Of an accepted job only its marker is forced to the disk, before the 202. All else can be made again, and is forced
    there in its own time, before the marker goes: what a power cut spoils is found by its checksums and made again.
    """

    def __init__(self, objects: Objects, shards: ShardStore, archives: ArchiveStore) -> None:
        self._objects = objects
        self._shards = shards
        self._archives = archives

    def create(self, spec: JobSpec) -> tuple[JobSpec, bool]:
        """Write a job down; the marker comes first, so that no spec is ever without one.

        Whoever writes the marker first decides. Returns the job that there is now, and whether it is there since now.
        """
        is_first = self._objects.create(paths.marker(spec.id), spec.model_dump_json().encode())
        if not is_first:
            spec = self._marked(spec)
        is_new = self._objects.create(paths.spec(spec.id), spec.model_dump_json().encode())
        found = spec if is_new else self.spec(spec.id)
        if found is None:
            raise StoreError(
                f"job {spec.id} was removed while it was written", "a job was removed while it was written"
            )
        if not is_first and is_new:
            self._marked(found)  # a marker without a request is closed when it is old, perhaps just now
        return found, is_new

    def _marked(self, spec: JobSpec) -> JobSpec:
        """Read a job's marker, or write it again when it is gone or cannot be read: its job was not accepted yet."""
        with suppress(DamagedError):
            if marker := self._objects.parse(paths.marker(spec.id), JobSpec):
                return marker
        self._objects.put(paths.marker(spec.id), spec.model_dump_json().encode())
        return spec

    def force_to_disk(self, job_id: str) -> None:
        """Force a job that was written down to the disk: it is not lost any more."""
        self._objects.sync(paths.marker(job_id))

    def discard(self, job_id: str, now: datetime) -> None:
        """Take back a job that could not be queued; what a worker may have made of it is removed within the hour."""
        self._note(job_id, now + _DISCARDED)
        self._objects.delete(paths.spec(job_id))
        self.close(job_id)

    def settle(self, spec: JobSpec, state: JobState) -> None:
        """Sweep a job that has ended, force it to the disk, note when it expires, then remove its marker.

        Of a cancelled job, the images go at once, and what a worker still stores goes later.
        """
        if state.outcome == "cancelled":
            self.expire(spec.id)
        else:
            self._archives.sweep(spec.id)
        self._note(spec.id, max(state.expires(spec), state.finished + _DISCARDED))
        self._objects.sync(paths.job(spec.id))
        self.close(spec.id)

    def close(self, job_id: str) -> None:
        """Remove a job's marker."""
        self._objects.delete(paths.marker(job_id))

    def close_orphan(self, job_id: str) -> None:
        """Remove a marker without a request; put it back if the request was written meanwhile."""
        self.close(job_id)
        if spec := self.spec(job_id):
            self._marked(spec)

    def open_jobs(self) -> Iterator[tuple[str, datetime]]:
        """List the jobs that may not have ended, and since when they are there."""
        for found in self._objects.list(paths.OPEN):
            yield found.path.removeprefix(f"{paths.OPEN}/"), found.modified

    def _note(self, job_id: str, time: datetime) -> None:
        self._objects.put(f"{paths.DUE}/{int(time.timestamp())}.{job_id}", b"")

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        """List the jobs whose images may be removed, each with the note that says so."""
        for note, *_ in self._objects.list(paths.DUE):
            time, job_id = note.removeprefix(f"{paths.DUE}/").split(".", 1)
            if int(time) <= now.timestamp():
                yield job_id, note

    def expire(self, job_id: str) -> None:
        """Remove all of a job but its spec and how it ended."""
        self._objects.delete_unfinished(paths.job(job_id))
        found = [path for path, *_ in self._objects.list(paths.job(job_id))]
        self._objects.delete_all(path for path in found if path not in (paths.spec(job_id), paths.state(job_id)))

    def drop_note(self, note: str) -> None:
        """Remove a note of `due`."""
        self._objects.delete(note)

    def spec(self, job_id: str) -> JobSpec | None:
        """Read the accepted request."""
        return self._objects.parse(paths.spec(job_id), JobSpec)

    def restored_spec(self, job_id: str) -> JobSpec | None:
        """Read the accepted request from its marker, and repair the one that workers read.

        None when the job is settled; raises DamagedError when the marker cannot be read.
        """
        marker = self._objects.parse(paths.marker(job_id), JobSpec)
        if marker is None:
            return None
        with suppress(DamagedError):
            if spec := self.spec(job_id):
                return spec
        self._objects.put(paths.spec(job_id), marker.model_dump_json().encode())
        return marker

    def state(self, job_id: str) -> JobState | None:
        """Read how the job ended; None while it has not."""
        return self._objects.parse(paths.state(job_id), JobState)

    def finish(self, job_id: str, state: JobState) -> bool:
        """Decide how the job ended. False when that was decided before."""
        return self._objects.create(paths.state(job_id), state.model_dump_json().encode())

    def is_ending_whole(self, job_id: str, shard_count: int) -> bool:
        """Tell whether the archive's plan, its tail and the job's state, if any, can be read and may be there.

        They are read last things first: a worker that ends the job meanwhile writes them in the other order.
        """
        try:
            state = self.state(job_id)
            plan = self._archives.plan(job_id)
        except DamagedError:
            return False
        if plan is None:
            return state is None or state.outcome != "succeeded"
        is_complete = len(self._shards.committed(job_id)) == shard_count
        return is_complete and self._archives.is_tail_whole(plan)

    def forget_ending(self, job_id: str) -> None:
        """Take the end of a job back: it is open again."""
        for path in (paths.state(job_id), paths.archive(job_id)):
            self._objects.delete(path)
