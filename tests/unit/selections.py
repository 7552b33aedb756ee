"""Jobs with a selection, whose shards lie in a real store."""

import zlib
from collections.abc import Callable

from tests.unit.conftest import spec_of
from worker.archive.candidate_table import candidate_table
from worker.archive.layouts.chosen_layout import layout_of
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection
from worker.contracts.store.store import Store
from worker.rendering.candidate import Candidate, Verdict
from worker.rendering.encoding import EncodedImage


def selecting_spec(n: int, keep: int = 500, shard_images: int = 4) -> JobSpec:
    """A job of an unconditional model with a quality gate."""
    selection = Selection(gate="9" * 64, keep=keep)
    return spec_of(n, shard_images=shard_images).model_copy(update={"archive_version": 3, "selection": selection})


def candidate_of(
    index: int, verdict: Verdict, image_hash: int, is_accepted: bool, data: bytes | None = None
) -> Candidate:
    """A candidate that no model has rendered."""
    if not is_accepted:
        return Candidate(index, None, verdict)
    data = data or f"picture {index}".encode()
    return Candidate(index, EncodedImage(index, data, zlib.crc32(data), f"{index:064x}", f"{image_hash:016x}"), verdict)


def commit_shard(
    store: Store, spec: JobSpec, shard: int, is_accepted: Callable[[int], bool], count: int | None = None
) -> bool:
    """Commit a shard whose first `count` candidates were rendered; by default all of them."""
    indices = spec.shard_indices(shard)[:count]
    candidates = [candidate_of(k, Verdict(700 if is_accepted(k) else 300), k, is_accepted(k)) for k in indices]
    return commit(store, spec, shard, candidates)


def commit(store: Store, spec: JobSpec, shard: int, candidates: list[Candidate]) -> bool:
    """Commit the candidates of a shard, like a worker."""
    images = [candidate.image for candidate in candidates if candidate.image is not None]
    scores = [each.verdict.score for each in candidates if each.image is not None and each.verdict.score is not None]
    data, table, member = layout_of(spec).lay_out(spec, shard, images, scores)
    return store.shards.commit(spec.id, shard, data, table, member, candidate_table(spec, candidates))
