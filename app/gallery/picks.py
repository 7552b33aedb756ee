"""The picks of a job: the images that the user excludes. They are one small object in the store."""

from app.errors import unprocessable
from app.schemas.gallery import Picks
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store


class PicksStore:
    """Reads and writes picks. They are removed together with the images of the job."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, spec: JobSpec) -> Picks:
        """Return the picks of a job; empty if there are none."""
        return Picks(exclude=self._store.jobs.picks(spec.id))

    def write(self, spec: JobSpec, picks: Picks) -> Picks:
        """Replace the picks of a job. Returns them in ascending order. Raises ApiError for an impossible index."""
        exclude = tuple(sorted(set(picks.exclude)))
        candidates = range(spec.first, spec.first + spec.max_candidates)
        if outside := [index for index in exclude if index not in candidates]:
            detail = f"exclude: job {spec.id} has images {candidates[0]} to {candidates[-1]}, not {outside[0]}"
            raise unprocessable("unknown_image", detail)
        self._store.jobs.put_picks(spec.id, exclude)
        return Picks(exclude=exclude)
