"""Explains why a job with a selection does not keep a candidate."""

from http import HTTPStatus

from app.errors import ApiError, quote_value
from app.jobs.image_path import address_path
from worker.contracts.choice import Choice, ChosenShard
from worker.contracts.class_cycle import class_at
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import BEST_SCORE, Selection


def not_kept(spec: JobSpec, selection: Selection, index: int, choice: Choice, shard: ChosenShard | None) -> ApiError:
    """Return the error for a candidate that the job does not keep. `shard` is None if the job ended before it."""
    address = address_path(spec, index)
    score = None if shard is None else _score(shard, index)
    detail = f"job {spec.id} does not keep image {index}: {_reason(spec, selection, index, choice, shard)}"
    extension = {"address": address} | ({} if score is None else {"score": score})
    return ApiError(HTTPStatus.NOT_FOUND, "not_kept", f"{detail}; GET {address} returns it", extension=extension)


def _reason(spec: JobSpec, selection: Selection, index: int, choice: Choice, shard: ChosenShard | None) -> str:
    candidates = None if shard is None else shard.index.candidates
    if index in selection.excluded:
        return "it was thrown out, and another image is in its place"
    if shard is None or candidates is None or index - shard.first >= candidates.count:
        return "the job has all its images before this one"
    score = _score(shard, index)
    if score is not None and score < selection.least_score:
        share = f"keep={selection.keep / BEST_SCORE:g}"
        return f"its score is {score} of {BEST_SCORE}, and {share} needs at least {selection.least_score}"
    if index - shard.first in candidates.copies:
        return "it is a copy of a training image"
    label = class_at(spec.class_shares or (1,), index)
    if choice.kept[label] == choice.quotas[label] and choice.ends[label] <= index:
        of_class = f" of the class {quote_value(spec.class_name(index))}" if spec.classes else ""
        return f"the job has all {choice.quotas[label]} images{of_class} before this one"
    return f"its hash differs from that of an earlier image of the job in at most {selection.distinct} bits"


def _score(shard: ChosenShard, index: int) -> int | None:
    candidates, position = shard.index.candidates, index - shard.first
    return candidates.scores[position] if candidates and position < len(candidates.scores) else None
