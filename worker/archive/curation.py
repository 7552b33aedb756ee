"""The curation of a dataset: the images that the user has thrown out, and those that replace them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from worker.archive.report import ClassCuration, Curation
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection


def describe_curation(spec: JobSpec, selection: Selection, shards: Sequence[ChosenShard]) -> Curation | None:
    """Return the excluded images and their replacements by class; None if no image was excluded.

    The kept and the excluded images of a class are those that the other rules accept. Without the exclusions, the
    dataset would have the first ones of them. So the kept ones after these are the replacements.
    """
    if not selection.excluded:
        return None
    quotas, excluded = spec.quotas(), _by_class(spec, selection.excluded)
    kept = _by_class(spec, [index for shard in shards for index, _ in shard.images()])
    names = spec.classes or ("",)
    by_class = {}
    for label, indices in sorted(excluded.items()):
        first = set(sorted([*kept[label], *indices])[: quotas[label]])
        replacements = tuple(index for index in kept[label] if index not in first)
        by_class[names[label]] = ClassCuration(excluded=tuple(indices), replacements=replacements)
    return Curation(
        excluded=tuple(sorted(_joined(each.excluded for each in by_class.values()))),
        replacements=tuple(sorted(_joined(each.replacements for each in by_class.values()))),
        by_class=by_class if spec.classes else {},
    )


def _by_class(spec: JobSpec, indices: Sequence[int]) -> dict[int, list[int]]:
    """Return the indices of each class. An unconditional model counts as one class."""
    found = defaultdict[int, list[int]](list)
    for index, label in zip(indices, spec.labels(indices) or [0] * len(indices), strict=True):
        found[label].append(index)
    return found


def _joined(parts: Iterator[tuple[int, ...]]) -> Iterator[int]:
    return (index for part in parts for index in part)
