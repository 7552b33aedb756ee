"""Writes and signs the manifests of finished jobs."""

from http import HTTPStatus
from importlib.metadata import version

from anyio import to_thread

from app.archive_name import archive_name
from app.errors import ApiError
from app.jobs.archive_digest import ArchiveDigests
from app.jobs.job_reader import JobReader
from app.provenance.manifest import ArchiveFile, Images, Manifest, Software, SourceModel, list_sha256
from app.provenance.signature import SigningKey
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.xmp_packet import DIGITAL_SOURCE_TYPE
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

_PROGRAM = "imagemill"


class Manifests:
    """Returns manifests and their signatures. Raises ApiError."""

    def __init__(self, store: Store, reader: JobReader, digests: ArchiveDigests, key: SigningKey | None) -> None:
        self._store = store
        self._reader = reader
        self._digests = digests
        self._key = key

    async def manifest(self, spec: JobSpec) -> bytes:
        """Return the manifest of a finished job. The first call reads the whole archive."""
        key = self._require_key()
        job, plan = await to_thread.run_sync(self._reader.find_finished_archive, spec, "its manifest")
        archive = ArchiveFile(
            name=archive_name(job),
            size=plan.size,
            sha256=await self._digests.sha256(spec, plan),
            version=spec.archive_version,
        )
        return (await to_thread.run_sync(self._manifest, spec, job, archive, key)).to_bytes()

    async def signature(self, spec: JobSpec) -> bytes:
        """Return the Ed25519 signature of the manifest: 64 bytes."""
        return self._require_key().sign(await self.manifest(spec))

    def _require_key(self) -> SigningKey:
        if self._key is None:
            detail = "this service signs no manifests; its operator can set IMAGEMILL_SIGNING_KEY"
            raise ApiError(HTTPStatus.NOT_FOUND, "no_signing_key", detail)
        return self._key

    def _manifest(self, spec: JobSpec, job: Job, archive: ArchiveFile, key: SigningKey) -> Manifest:
        gate = spec.selection.gate if spec.selection else None
        model = spec.model
        return Manifest(
            archive=archive,
            images=self._images(spec, job),
            model=SourceModel(name=model.name, sha256=model.sha256, numerics=model.numerics.name, gate=gate),
            software=Software(name=_PROGRAM, version=version(_PROGRAM)),
            key_sha256=key.sha256,
        )

    def _images(self, spec: JobSpec, job: Job) -> Images:
        rows = [
            shard.index.images.sha256s[row]
            for shard in self._store.choices.chosen_shards(spec)
            for _index, row in shard.images()
        ]
        if len(rows) != spec.n or job.next_start is None:
            raise DamagedError(f"job {spec.id} has {len(rows)} of {spec.n} images")
        counts = zip(spec.classes, spec.quotas(), strict=True) if spec.classes else ()
        return Images(
            count=spec.n,
            format=spec.format,
            mark=spec.marking,
            digital_source_type=DIGITAL_SOURCE_TYPE,
            seed=spec.seed,
            first_index=spec.first,
            next_index=job.next_start,
            classes={label: count for label, count in counts if count},
            style=spec.style,
            list_sha256=list_sha256(rows),
        )
