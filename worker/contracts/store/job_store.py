"""Jobs in the store: specs, states, the markers of open jobs, and the notes about images to remove."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from worker.contracts.age import age
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store import paths
from worker.contracts.store.archive_store import ArchiveStore
from worker.contracts.store.choice_store import ChoiceStore
from worker.contracts.store.job_list import JobList
from worker.contracts.store.object_store import Objects
from worker.contracts.store.shard_store import ShardStore
from worker.contracts.store.store_errors import AncestorRemovedError, DamagedError, StoreError

_CREATING = timedelta(minutes=1)
"""Age of the note of an extension below which its request may still be writing its spec."""
_DISCARDED = timedelta(minutes=10)
"""After this time, no worker still works on a job that was discarded or cancelled."""


class _Picks(BaseModel):
    """The images that the user excludes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    exclude: tuple[int, ...]


class JobStore:
    """Writes and reads jobs.

    Methods return None for a missing object, and raise DamagedError for one that cannot be parsed.

    Before the 202, only the marker of a job is forced to the disk. The other objects follow after the job's end, before
    the marker is removed. If a power cut corrupts one earlier, its checksum shows it, and it is made again.
    """

    def __init__(self, objects: Objects, shards: ShardStore, archives: ArchiveStore, choices: ChoiceStore) -> None:
        self.list = JobList(objects)
        self._objects = objects
        self._shards = shards
        self._archives = archives
        self._choices = choices

    def create(self, spec: JobSpec) -> tuple[JobSpec, bool]:
        """Write the marker and the spec of a job. The marker comes first, so that every spec has one.

        If several calls create the same job, the first marker counts. Returns the stored job, and whether this call has
        written its spec. Raises AncestorRemovedError if the images of an ancestor are being removed.
        """
        for ancestor in spec.ancestors:  # first, so that the images of an ancestor stay as long as the job needs them
            note = f"{paths.extensions(ancestor.job)}/{spec.id}"
            try:
                self._objects.put(note, b"")
            except (StoreError, OSError):  # a removal deletes unfinished files, and this may have been one
                self._objects.put(note, b"")
        # A removal writes its note first, and then looks for extensions. At least one of the two sees the other.
        for ancestor in spec.ancestors:
            if self._is_removing(ancestor.job):
                raise AncestorRemovedError(f"the images of job {ancestor.job} are being removed")
        # If this process dies before it writes the spec, the reconciler removes the marker later.
        is_first = self._objects.create(paths.marker(spec.id), spec.model_dump_json().encode())
        if not is_first:
            spec = self._read_or_write_marker(spec)
        is_new = self._objects.create(paths.spec(spec.id), spec.model_dump_json().encode())
        found = spec if is_new else self.spec(spec.id)
        if found is None:
            raise StoreError(
                f"job {spec.id} was removed while it was written", "a job was removed while it was written"
            )
        if not is_first and is_new:
            # The reconciler removes an old marker without a spec. It may have done so just before the spec was written.
            self._read_or_write_marker(found)
        return found, is_new

    def _is_removing(self, job_id: str) -> bool:
        # In this order, because the notes of a removal go after the state is written.
        if any(self._objects.list(paths.removals(job_id))):
            return True
        state = self.state(job_id)
        return state is not None and state.is_removed

    def _read_or_write_marker(self, spec: JobSpec) -> JobSpec:
        """Read a job's marker. If it is missing or damaged, write it again: the job was not accepted yet."""
        with suppress(DamagedError):
            if marker := self._objects.parse(paths.marker(spec.id), JobSpec):
                return marker
        self._objects.put(paths.marker(spec.id), spec.model_dump_json().encode())
        return spec

    def force_to_disk(self, job_id: str) -> None:
        """Force the marker of a job to the disk. After this, the job cannot be lost."""
        self._objects.sync(paths.marker(job_id))

    def discard(self, job_id: str, now: datetime) -> None:
        """Remove a job that could not be queued. Objects that a worker may have written are removed within the hour."""
        # The note comes first: if this process dies in between, the images are removed nevertheless.
        self._write_note(job_id, now + _DISCARDED)
        self._objects.delete(paths.spec(job_id))
        self.close(job_id)

    def settle(self, spec: JobSpec, state: JobState) -> None:
        """Sweep a job that has ended, force it to the disk, note when it expires, then remove its marker.

        The images of a cancelled job are removed immediately, and shards that a worker still stores are removed later.
        """
        if state.outcome == "cancelled":
            self.expire(spec.id)
        else:
            self._archives.sweep(spec.id)
        # The marker goes last. If this process dies before, the job is open, and the reconciler settles it again.
        self._write_note(spec.id, max(state.expires(spec), state.finished + _DISCARDED))
        self.list.add(spec)  # a power cut may have removed the entries
        self.list.sync(spec)
        self._objects.sync(paths.job(spec.id))
        self.close(spec.id)

    def close(self, job_id: str) -> None:
        """Remove a job's marker."""
        self._objects.delete(paths.marker(job_id))

    def close_orphan(self, job_id: str) -> None:
        """Remove a marker without a spec. If the spec was written meanwhile, write the marker again."""
        self.close(job_id)
        if spec := self.spec(job_id):
            self._read_or_write_marker(spec)

    def open_jobs(self) -> Iterator[tuple[str, datetime]]:
        """Yield the ids of jobs that may not have ended, and the times when their markers were written."""
        for found in self._objects.list(paths.OPEN):
            yield found.path.removeprefix(f"{paths.OPEN}/"), found.modified

    def _write_note(self, job_id: str, time: datetime) -> str:
        note = f"{paths.DUE}/{int(time.timestamp())}.{job_id}"
        self._objects.put(note, b"")
        return note

    def due(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield the ids of jobs whose images may be removed, each with the path of its note."""
        for note, *_ in self._objects.list(paths.DUE):
            time, job_id = note.removeprefix(f"{paths.DUE}/").split(".", 1)
            if int(time) <= now.timestamp():
                yield job_id, note

    def expire(self, job_id: str) -> None:
        """Remove all objects of a job except its spec and its state."""
        self._objects.delete_unfinished(paths.job(job_id))
        found = [path for path, *_ in self._objects.list(paths.job(job_id))]
        self._objects.delete_all(path for path in found if path not in (paths.spec(job_id), paths.state(job_id)))

    def remove_images(self, spec: JobSpec, state: JobState, now: datetime) -> bool:
        """Remove the images of a job that has ended. If this process dies in between, the reconciler goes on.

        Returns False, and changes nothing, if another job has begun to extend this one.
        """
        # A note of this request alone, so that simultaneous removals do not undo each other.
        note = f"{paths.removals(spec.id)}/{uuid4().hex}"
        self._objects.put(note, b"")
        if self.extensions(spec.id, now):
            self._objects.delete(note)
            return False
        removed = state.model_copy(update={"removed": min(now, state.expires(spec))})
        # The note comes first: if this process dies after the state is written, the reconciler removes the images.
        self._objects.sync(self._write_note(spec.id, now))
        self._objects.put(paths.state(spec.id), removed.model_dump_json().encode())
        self._objects.sync(paths.state(spec.id))
        self.expire(spec.id)
        return True

    def extensions(self, job_id: str, now: datetime) -> list[str]:
        """Return the ids of the jobs that extend a job, and whose images have not expired. They need its images."""
        notes = [
            (found.path.rpartition("/")[2], found.modified) for found in self._objects.list(paths.extensions(job_id))
        ]
        return [each for each, noted in notes if self._needs_images(each, job_id, noted, now)]

    def _needs_images(self, extension_id: str, job_id: str, noted: datetime, now: datetime) -> bool:
        spec = self.spec(extension_id)
        if spec is None:
            return age(noted, now) < _CREATING
        state, is_extension = self.state(spec.id), any(each.job == job_id for each in spec.ancestors)
        return is_extension and not (state is not None and state.has_expired(spec, now))

    def delete_note(self, note: str) -> None:
        """Remove a note that `due` has returned."""
        self._objects.delete(note)

    def spec(self, job_id: str) -> JobSpec | None:
        """Read the accepted request."""
        return self._objects.parse(paths.spec(job_id), JobSpec)

    def restored_spec(self, job_id: str) -> JobSpec | None:
        """Read the spec of an open job; if it is missing or damaged, restore it from the job's marker.

        Returns None if the job is settled. Raises DamagedError if the marker cannot be parsed.
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
        """Read the state of a job; None while it has not ended."""
        return self._objects.parse(paths.state(job_id), JobState)

    def picks(self, job_id: str) -> tuple[int, ...]:
        """Return the indices of the images that the user excludes."""
        found = self._objects.parse(paths.picks(job_id), _Picks)
        return found.exclude if found else ()

    def put_picks(self, job_id: str, exclude: tuple[int, ...]) -> None:
        """Replace the list of images that the user excludes. It is removed together with the images."""
        self._objects.put(paths.picks(job_id), _Picks(exclude=exclude).model_dump_json().encode())

    def finish(self, job_id: str, state: JobState) -> bool:
        """Write the state of a job. Returns False if it had one already, which then stays."""
        return self._objects.create(paths.state(job_id), state.model_dump_json().encode())

    def is_ending_whole(self, spec: JobSpec) -> bool:
        """Return whether the job's state, the archive's plan and the objects written with it are readable and fit.

        The state is read first. A worker that finishes the job meanwhile writes it last, so no race looks like damage.
        """
        try:
            state = self.state(spec.id)
            plan = self._archives.plan(spec.id)
            if plan is None:
                return state is None or state.outcome != "succeeded"
            is_complete = self._choices.is_complete(spec, self._shards.committed(spec.id))
        except DamagedError:
            return False
        return is_complete and self._archives.is_end_whole(plan)

    def forget_ending(self, job_id: str) -> None:
        """Remove the state and the plan of a job, so that it is open again."""
        for path in (paths.state(job_id), paths.archive(job_id)):
            self._objects.delete(path)
