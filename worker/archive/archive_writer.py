"""Writes the end of a job's archive: slices that are laid out again, the tail and the plan."""

from collections.abc import Callable, Sequence

from worker.archive.layouts.chosen_layout import layout_of
from worker.archive.layouts.layout import LaidOutSlice
from worker.archive.report_files import report_files
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.slices import Slice, slices
from worker.contracts.store.archive_index import ArchivePlan
from worker.contracts.store.store import Store
from worker.rendering.encoding import EncodedImage


def write_archive(
    store: Store, spec: JobSpec, shards: Sequence[ChosenShard], report_progress: Callable[[], object] = lambda: None
) -> ArchivePlan:
    """Store the end of an archive, and the plan of its parts. The bytes of the archive depend on the images alone.

    Calls `report_progress` after each slice. Raises DamagedError if an image that it reads is damaged.
    """
    laid_out = list[LaidOutSlice]()
    for each in slices(spec, shards):
        laid_out.append(_stored(each) if each.is_stored else _lay_out_again(store, spec, each))
        report_progress()
    files = report_files(spec, shards, store.archives.read_range)
    tail = layout_of(spec).build_tail(spec, laid_out, files)
    return store.archives.publish(spec.id, [part for each in laid_out for part in each.parts], tail)


def _stored(each: Slice) -> LaidOutSlice:
    parts = tuple(part for shard in each.pieces for part in shard.parts())
    return LaidOutSlice(each.pieces, parts, each.pieces[0].index.member)


def _lay_out_again(store: Store, spec: JobSpec, each: Slice) -> LaidOutSlice:
    images, scores = list[EncodedImage](), list[int]()
    for shard in each.pieces:
        table, chosen = shard.index.images, list(shard.images())
        rows = [row for _, row in chosen]
        for (index, row), data in zip(chosen, store.shards.images(shard.index, rows), strict=True):
            dhash = table.hashes[row] if table.hashes else ""
            images.append(EncodedImage(index, data, table.crc32s[row], table.sha256s[row], dhash))
        scores += [score for row in rows if (score := shard.score(row)) is not None]
    data, _, member = layout_of(spec).lay_out(spec, each.shard, images, scores)
    return LaidOutSlice(each.pieces, (store.archives.put_merged(spec.id, each.shard, data),), member)
