"""The store of jobs, archives and styles. Only this package knows its layout."""

from datetime import datetime, timedelta

from worker.contracts.store import paths
from worker.contracts.store.archive_store import ArchiveStore
from worker.contracts.store.choice_store import ChoiceStore
from worker.contracts.store.distilled_store import DistilledStore
from worker.contracts.store.job_store import JobStore
from worker.contracts.store.model_file_store import ModelFileStore
from worker.contracts.store.object_store import Objects
from worker.contracts.store.shard_store import ShardStore
from worker.contracts.store.store_errors import StoreError
from worker.contracts.store.style_store import StyleStore

PATIENCE_SECONDS = 30.0
"""Time that a worker waits for a bucket that does not respond."""


class Store:
    """An object store with the following layout.

    open/<id>                           the JobSpec again: marks a job that has not ended, or may not be on disk yet
    due/<time>.<id>                     notes when the images of a job that has ended may be removed, in Unix seconds
    jobs/<id>/spec.json                 JobSpec, written once, before the job is queued
    jobs/<id>/shards/<k>.<attempt>.bin  a slice of the archive
    jobs/<id>/shards/<k>.json           ShardIndex, the commit of shard k
    jobs/<id>/merged/<k>.<crc32>.bin    a slice of the archive that was laid out again at the end of the job
    jobs/<id>/tail.bin                  the end of the archive: metadata, report and directory
    jobs/<id>/archive.json              ArchivePlan
    jobs/<id>/digest.json               ArchiveDigest, computed after the end of the job
    jobs/<id>/picks.json                the images that the user excludes
    jobs/<id>/state.json                JobState; the first one written decides
    jobs/<id>/extended/<id>             a note that another job extends this one, and needs its shards
    jobs/<id>/removing/<attempt>        a note that a request is about to remove the images of this job
    listed/<owner>/<time>.<id>          lists the owner's jobs, the newest first; see job_list.py
    named/<owner>/<name>/<time>.<id>    lists the owner's jobs of one name
    styles/<id>/picture.png             a style image, RGB; all owners share it
    styles/<id>/style.json              StyleEntry for requests without an API key
    owned/<owner>/<id>.json             StyleEntry for the owner of a key
    dropped/<id>                        notes that an owner has removed this style
    learnt/<key>/weights.safetensors    a distilled model
    learnt/<key>/state.safetensors      the state of a distillation that has not ended
    models/<sha256>/<name>              a file of a model for the page; see model_files.py
    """

    def __init__(self, url: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._objects = Objects(url, paths.FOLDERS, patience_seconds)
        self.shards = ShardStore(self._objects)
        self.archives = ArchiveStore(self._objects)
        self.choices = ChoiceStore(self.shards)
        self.jobs = JobStore(self._objects, self.shards, self.archives, self.choices)
        self.styles = StyleStore(self._objects)
        self.distilled = DistilledStore(self._objects)
        self.model_files = ModelFileStore(self._objects)

    def sweep_unfinished(self, now: datetime, older_than: timedelta) -> None:
        """Remove temporary files outside the folders of jobs, which are swept when the jobs end."""
        for folder in [folder for folder in paths.FOLDERS if folder != paths.JOBS]:
            self._objects.delete_unfinished(folder, now, older_than)

    def free_bytes(self) -> int | None:
        """Return the free bytes of the store's disk; None for a bucket."""
        return self._objects.free_bytes()

    def check_writable(self) -> None:
        """Write and remove a small object. Raises StoreError or OSError."""
        self._objects.check_writable()

    def check_free_bytes(self, needed_bytes: int) -> None:
        """Raise StoreError if the store's disk has fewer free bytes."""
        free = self.free_bytes()
        if free is not None and free < needed_bytes:
            raise StoreError(f"{free} bytes are free, and {needed_bytes} are needed", "No space left on device")

    def check_usable(self) -> None:
        """Try each kind of access that a worker needs. Raises StoreError or OSError."""
        self._objects.check_usable()
