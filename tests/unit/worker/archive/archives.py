"""Archives of jobs whose shards lie in a real store."""

import zlib
from collections.abc import Callable
from pathlib import Path

from tests.unit.selections import commit
from worker.archive.archive_writer import write_archive
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchivePlan
from worker.contracts.store.store import Store
from worker.rendering.candidate import Candidate, Verdict
from worker.rendering.encoding import EncodedImage

MakeData = Callable[[int], bytes]


def text(index: int) -> bytes:
    """Return the data of an image that no test decodes."""
    return f"picture {index}".encode()


def archive_of(spec: JobSpec, folder: Path, data_of: MakeData = text) -> bytes:
    """Commit all shards of a job without a selection, and return its archive."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(str(folder))
    for shard in spec.shards:
        commit(store, spec, shard, [_candidate(spec, index, data_of) for index in spec.shard_indices(shard)])
    return read(folder, write_archive(store, spec, list(store.choices.chosen_shards(spec))))


def read(folder: Path, plan: ArchivePlan) -> bytes:
    """Return the bytes of a published archive."""
    return b"".join((folder / part.path).read_bytes()[part.start : part.start + part.size] for part in plan.parts)


def _candidate(spec: JobSpec, index: int, data_of: MakeData) -> Candidate:
    data, dhash = data_of(index), f"{index:016x}" if spec.hashes_images else ""
    verdict = Verdict(700 if spec.scores_images else None)
    return Candidate(index, EncodedImage(index, data, zlib.crc32(data), f"{index:064x}", dhash), verdict)
