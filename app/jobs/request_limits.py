"""Checks a request for images against the limits of the server and of the caller."""

from app.auth.api_keys import Caller
from app.errors import unprocessable
from app.jobs.extension import prolonged
from app.schemas.requests import ImageRequest
from worker.contracts.jobs import JobSpec
from worker.contracts.splits import split_indices


def most_images(limit: int, caller: Caller) -> int:
    """Return the largest number of images that a job of the caller may have. `limit` is that of the server.

    A job of more images than the caller may have open could never be accepted.
    """
    return min(limit, caller.max_images or limit)


def check_ttl(hours: int, limit: int) -> None:
    """Raise ApiError unless images may be kept for so many hours."""
    if not 1 <= hours <= limit:
        detail = f"ttl_hours: must be a whole number between 1 and {limit}, got '{hours}'"
        raise unprocessable("ttl_hours_out_of_range", detail)


def check_size(request: ImageRequest, limit: int) -> None:
    """Raise ApiError unless a request may have its images. Images that its selection rejects count, too."""
    n, candidates = request.n, request.expected_candidates
    _check_number(n, limit)
    if candidates > limit:
        most = limit * n // candidates
        detail = f"n: at most {most} with keep={request.keep}, got '{n}'; about {candidates} images would be rendered"
        raise unprocessable("n_out_of_range", f"{detail}, and the limit is {limit}")


def check_extension(spec: JobSpec, added: int, limit: int) -> None:
    """Raise ApiError unless a dataset may get so many more images. Those that it has do not count."""
    candidates = spec.selection.expected_candidates(added) if spec.selection else added
    _check_number(added, limit)
    if candidates > limit:
        detail = f"n: about {candidates} images would be rendered for {added} more, and the limit is {limit}"
        raise unprocessable("n_out_of_range", f"{detail}; extend the job in several steps")
    if spec.first + prolonged(spec, added).max_candidates > split_indices(spec.split).stop:
        raise unprocessable("n_out_of_range", f"n: the dataset would leave its range of indices, got '{added}'")


def check_curation(spec: JobSpec, limit: int) -> None:
    """Raise ApiError unless a curated dataset may have its replacements. `spec` is that of the new job."""
    if spec.expected_candidates > limit:
        detail = f"exclude: about {spec.expected_candidates} images would be rendered to replace these"
        raise unprocessable("too_many_excluded", f"{detail}, and the limit is {limit}; exclude fewer images")
    if spec.first + spec.max_candidates > split_indices(spec.split).stop:
        raise unprocessable("too_many_excluded", "exclude: the dataset would leave its range of indices")


def _check_number(n: int, limit: int) -> None:
    if not 1 <= n <= limit:
        raise unprocessable("n_out_of_range", f"n: must be a whole number between 1 and {limit}, got '{n}'")
