"""The yield of a job with a selection: the share of the tried images that the job keeps."""

from app.schemas.responses import ClassYield, JobYield
from worker.contracts.choice import Choice
from worker.contracts.jobs import JobSpec
from worker.contracts.wilson import wilson_interval


def requested_counts(spec: JobSpec) -> dict[str, int] | None:
    """Return the number of images of each requested class; None if the request named no classes."""
    if not spec.shares:
        return None
    counts = zip(spec.classes, spec.shares, spec.quotas(), strict=True)
    return {name: count for name, share, count in counts if share}


def job_yield(spec: JobSpec, choice: Choice) -> JobYield:
    """Return the yield over the shards that the choice has taken."""
    # The kept ones are read first, because another thread may go on with the choice: so they never exceed the tried.
    kept, tried = list(choice.kept), list(choice.tried)
    rows = zip(spec.classes, spec.class_shares, kept, tried, strict=True) if spec.classes else ()
    by_class = {name: _class_yield(hits, tries) for name, share, hits, tries in rows if share}
    return JobYield(**dict(_class_yield(sum(kept), sum(tried))), by_class=by_class)


def _class_yield(kept: int, tried: int) -> ClassYield:
    low, high = wilson_interval(kept, tried)
    return ClassYield(kept=kept, tried=tried, low=round(low, 4), high=round(high, 4))
